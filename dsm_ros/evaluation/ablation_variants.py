"""Variants of the localizer for each ablation, each constructed just before its evaluation."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from dsm_ros.datasets.frame import FrameSequence
from dsm_ros.evaluation.ablation_names import Ablation
from dsm_ros.evaluation.ablation_networks import keep_all, keep_best_unsorted, plain_mean
from dsm_ros.evaluation.ablation_retrieval import LaterKeyframes, NearTruePose
from dsm_ros.geometry.pose import Pose44
from dsm_ros.localization.config import ConfidenceWeights
from dsm_ros.localization.localizer import Localizer
from dsm_ros.localization.matching import MatchedImage, Matcher
from dsm_ros.localization.refinement import Refiner
from dsm_ros.localization.result import SceneCoordinates
from dsm_ros.localization.scene_coordinates import scene_coordinates
from dsm_ros.localization.view import View
from dsm_ros.network.dsm_net import DsmNet, without_heads
from dsm_ros.scene_map.builder import BATCH, complete_features
from dsm_ros.scene_map.scene_map import SceneMap
from dsm_ros.scene_map.store import create_store

FEW_KEYFRAMES = 5  # as in table 4 of the paper
KEYFRAMES = (1, 3, 5, 10, 20)
LONG_SIDES_PX = (256, 384, 512, 640)
WEIGHTS = (0.4, 0.7)
RANKS = (0, 5, 10, 15)
CANDIDATES = (1, 4, 64)
Make = Callable[[], Localizer]


@dataclass(frozen=True)
class Variant:
    """A label, and a function that makes the localizer of the variant."""

    label: str
    make: Make


@dataclass(frozen=True)
class Setting:
    """The original localizer, the frames to localize, and a folder for other maps."""

    localizer: Localizer
    sequence: FrameSequence
    indices: range
    folder: Path


def sorting(setting: Setting) -> list[Variant]:
    """Return localizers with sorted and unsorted candidates of each cell.

    If no trained head fixes the number of candidates, localizers with other numbers of candidates follow.
    """
    localizer, network = setting.localizer, setting.localizer.network
    config, count = network.config, network.config.candidates
    sharing = partial(DsmNet, config, network.model_hash, network)
    nets: dict[str, Callable[[], DsmNet]] = {
        f"{count} best, sorted (shipped)": lambda: network,
        f"{count} best, unsorted": partial(sharing, keep=keep_best_unsorted),
    }
    if not config.trained_coordinates:
        for number in CANDIDATES:
            other = replace(config, candidates=number, fine_candidates=number)
            nets[f"{number} best, sorted"] = partial(DsmNet, other, network.model_hash, network)
        nets[f"mean of {count} best"] = partial(sharing, agree=plain_mean)
        nets["mean of all"] = partial(sharing, keep=keep_all, agree=plain_mean)
    return [Variant(label, partial(_with_few_keyframes, localizer, net)) for label, net in nets.items()]


def _with_few_keyframes(localizer: Localizer, network: Callable[[], DsmNet]) -> Localizer:
    return Localizer(localizer.scene_map, network(), localizer.config.with_keyframes(FEW_KEYFRAMES))


def keyframes(setting: Setting) -> list[Variant]:
    """Return localizers that match different numbers of keyframes, N."""
    localizer = setting.localizer

    def make(count: int) -> Localizer:
        return Localizer(localizer.scene_map, localizer.network, localizer.config.with_keyframes(count))

    return [Variant(f"N = {count}", partial(make, count)) for count in KEYFRAMES]


def resolution(setting: Setting) -> list[Variant]:
    """Return localizers with other sizes of the network's input, for query images and keyframes alike."""
    make = partial(_resized, setting.localizer, setting.folder)
    return [Variant(f"{side_px} px", partial(make, side_px)) for side_px in LONG_SIDES_PX]


def _resized(localizer: Localizer, folder: Path, side_px: int) -> Localizer:
    network, scene_map = localizer.network, localizer.scene_map
    if side_px == network.config.long_side_px:
        return Localizer(scene_map, network, localizer.config)
    resized = DsmNet(replace(network.config, long_side_px=side_px), network.model_hash, network)
    uri = str(folder / f"{side_px}")
    store = create_store(uri, "ablation")
    for start in range(0, len(scene_map.ids), BATCH):
        store.add(scene_map.store.keyframes(scene_map.ids[start : start + BATCH]))
    complete_features(store, resized, lambda done, total: None)
    return Localizer(SceneMap.open(uri, network.model_hash, str(network.device)), resized, localizer.config)


def video(setting: Setting) -> list[Variant]:
    """Return localizers without the previous frame, with the previous frame, and with a constant weight alpha."""
    localizer = setting.localizer
    alone = replace(localizer.config, temporal=False)
    with_previous = replace(localizer.config, temporal=True)
    scene_map, network = localizer.scene_map, localizer.network

    def fixed(alpha: float) -> Localizer:
        return Localizer(scene_map, network, with_previous, Matcher(network, lambda confidence: alpha))

    return [
        Variant("single frame", lambda: Localizer(scene_map, network, alone)),
        Variant("video", lambda: Localizer(scene_map, network, with_previous)),
        *(Variant(f"alpha = {alpha}", partial(fixed, alpha)) for alpha in WEIGHTS),
    ]


def retrieval(setting: Setting) -> list[Variant]:
    """Return localizers with keyframes of lower retrieval ranks, and with the keyframes nearest to the true pose.

    The keyframes nearest to the true pose show the best result that a better retrieval could reach.
    """
    localizer = setting.localizer
    config = localizer.config.with_keyframes(FEW_KEYFRAMES)

    def later(skipped: int) -> Localizer:
        return Localizer(LaterKeyframes(localizer.scene_map, skipped), localizer.network, config)

    def nearest() -> Localizer:
        return NearTruePose(localizer, FEW_KEYFRAMES, (setting.sequence[index] for index in setting.indices))

    ranks = [Variant(f"ranks {rank + 1} to {rank + FEW_KEYFRAMES}", partial(later, rank)) for rank in RANKS]
    return [*ranks, Variant("nearest to the true pose", nearest)]


# Fitted on the same poses as the default weights, for localizers that find no patches.
CELL_WEIGHTS = ConfidenceWeights(bias=-5.92, inlier_ratio=5.98, visible_inlier_ratio=9.51, precise_ratio=0.0)


class NoRefinement(Refiner):
    """A refiner that leaves every pose unrefined."""

    def refine(self, views: Sequence[View], map_T_rig: Pose44) -> None:
        """Return None."""


def as_matched(image: MatchedImage, map_T_camera: Pose44 | None, max_error_px: float) -> SceneCoordinates:
    """Return the matched dense coordinates without completing them."""
    return scene_coordinates(image, None, max_error_px)


def heads(setting: Setting) -> list[Variant]:
    """Return localizers with one, two and all steps, and for trained heads also all steps with analytic heads."""
    scene_map, network, config = setting.localizer.scene_map, setting.localizer.network, setting.localizer.config
    trained = network.config.trained_coordinates or network.config.trained_confidence
    analytic = without_heads(network) if trained else network
    always_guided = replace(config, guided_confidence=math.inf)
    cells_only = replace(always_guided, confidence=CELL_WEIGHTS)
    first_only = replace(cells_only, guided_confidence=0.0)
    unrefined = NoRefinement(scene_map)
    matched = partial(Localizer, refiner=unrefined, coordinates_of=as_matched)
    variants = [
        Variant("first match alone, analytic heads", partial(matched, scene_map, analytic, first_only)),
        Variant("both matches", partial(matched, scene_map, network, cells_only)),
        Variant("both, refined", lambda: Localizer(scene_map, network, always_guided, coordinates_of=as_matched)),
        Variant("both, refined, coordinates completed", lambda: Localizer(scene_map, network, always_guided)),
        Variant("guided match only where needed", lambda: Localizer(scene_map, network, config)),
    ]
    if trained:
        variants.append(Variant("the same, analytic heads", lambda: Localizer(scene_map, analytic, config)))
    return variants


VARIANTS: dict[Ablation, Callable[[Setting], list[Variant]]] = {
    Ablation.SORTING: sorting,
    Ablation.KEYFRAMES: keyframes,
    Ablation.RESOLUTION: resolution,
    Ablation.VIDEO: video,
    Ablation.RETRIEVAL: retrieval,
    Ablation.HEADS: heads,
}
