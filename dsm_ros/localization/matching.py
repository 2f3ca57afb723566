"""Dense matching of an image against keyframes, with the choice of keyframes, the first match and the guided match.

The keyframes of the first match look like the image, or are near its expected pose [paper 3.1]. The first match
searches the whole scene coarse to fine [paper 3.3]. The guided match searches again around a pose estimate, among
keyframes near the estimate [method 8].
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.correspondences import Correspondences
from dsm_ros.geometry.pose import Pose44, transform
from dsm_ros.geometry.sampling import cell_centres
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.view import View
from dsm_ros.network.dense_match import DenseMatch
from dsm_ros.network.dsm_net import LOCAL_RADIUS, DsmNet
from dsm_ros.network.features import ImageFeatures, KeyframeFeatures, Scene, gather_scene
from dsm_ros.network.surface import keyframe_depths
from dsm_ros.network.temporal import PreviousFrame, fuse_previous, scene_weight
from dsm_ros.scene_map.scene_map import SceneMap

OCCLUSION_RATIO = 1.1  # maximum depth of a visible point, relative to the nearest point in its cell
FINEST = -1  # the only pyramid level that the guided match searches
REPEATED_GAIN = 0.5  # gain of covering a cell again, relative to the previous gain


@dataclass(frozen=True)
class SearchArea:
    """Keyframes that an image is matched against, best first, and the expected pose that the match is restricted to.

    map_T_expected: None for a match of the whole scene.
    """

    keyframe_ids: tuple[int, ...]
    map_T_expected: Pose44 | None = None


@dataclass(frozen=True)
class MatchedImage:
    """An image and its dense match against keyframes.

    area, keyframes: the search area of the first match, and its keyframes. scene: the keyframes in a local frame near
    them. match: the guided match where there is one, otherwise the first match. cells: the correspondences of all cells
    of the match, row by row. is_guided: whether the match is the guided match.
    """

    view: View
    query: ImageFeatures
    area: SearchArea
    keyframes: tuple[KeyframeFeatures, ...]
    scene: Scene
    match: DenseMatch
    cells: Correspondences
    is_guided: bool = False

    @property
    def local_radius_px(self) -> float:
        """The radius (px) of a first match that is restricted to an expected pose."""
        return LOCAL_RADIUS * self.query.camera.width_px / self.scene.levels[0].valid_NHW.shape[2]


class Matcher:
    """Matcher of images against keyframes with one network.

    weigh_scene: returns alpha [paper 3.3.1], the weight of the scene's correlation relative to the previous frame's
    correlation, for a mean confidence of the first match.
    """

    def __init__(self, network: DsmNet, weigh_scene: Callable[[float], float] = scene_weight) -> None:
        self._network, self._weigh_scene = network, weigh_scene

    def first_match(
        self, view: View, query: ImageFeatures, area: SearchArea, keyframes: Sequence[KeyframeFeatures]
    ) -> MatchedImage:
        """Return the match of an encoded image against at least one keyframe, those of the area [paper 3.3]."""
        scene = gather_scene(keyframes, area.map_T_expected)
        match = (self._network.match if area.map_T_expected is None else self._network.local_match)(query, scene)
        cells = cell_correspondences(match, scene, query.camera, view.rig_T_camera)
        return MatchedImage(view, query, area, tuple(keyframes), scene, match, cells)

    def guided_match(
        self,
        image: MatchedImage,
        map_T_camera: Pose44,
        keyframes: Sequence[KeyframeFeatures],
        previous: PreviousFrame | None,
    ) -> MatchedImage:
        """Return an image matched again around a pose estimate [method 8].

        keyframes: keyframes to match against; if empty, the keyframes of the first match are used. previous: the
        previous frame of the video, which is fused if the first match was not confident [paper 3.3.1].
        """
        scene = gather_scene(keyframes, image.scene.map_T_local) if keyframes else image.scene
        alpha = self._weigh_scene(image.match.confidence)
        fused = fuse_previous(scene, previous, alpha, FINEST) if alpha < 1 and previous else scene
        match = self._network.guided_match(image.query, fused, image.match, map_T_camera)
        cells = cell_correspondences(match, scene, image.query.camera, image.view.rig_T_camera)
        return replace(image, match=match, cells=cells, is_guided=True)


def cell_correspondences(match: DenseMatch, scene: Scene, camera: Camera, rig_T_camera: Pose44) -> Correspondences:
    """Return the correspondences of all cells of a dense match, row by row.

    scene: the scene that was matched. camera: the pinhole at the network's input size.
    """
    height, width = match.confidence_HW.shape
    points_P3 = transform(scene.map_T_local, match.coords_HW3.flatten(0, 1).cpu().numpy())
    pixels_P2 = cell_centres(width, height, camera.width_px, camera.height_px)
    return Correspondences(pixels_P2, points_P3, match.confidence_HW.flatten().cpu().numpy(), camera, rig_T_camera)


def search_areas(
    scene_map: SceneMap, query: ImageFeatures, prior: Pose44 | None, after_rejected: bool, config: LocalizerConfig
) -> list[SearchArea]:
    """Return the areas in which an image is matched; each is needed only if the pose in the one before is rejected.

    A few keyframes come first: around the expected pose if there is one, then without the expected pose. The N most
    similar keyframes come last [paper 3.1]. The few keyframes must only lead to a pose estimate, because the guided
    match around the estimate chooses other keyframes. prior: the expected map_T_camera. after_rejected: the pose of the
    previous image was rejected. The present pose is then likely to be rejected too, so the few keyframes are matched
    only around an expected pose.
    """
    similar = tuple(scene_map.retrieve(query.descriptor_D, config.keyframes))
    nearest = [] if prior is None else scene_map.nearest(prior, config.near_keyframes)
    few = tuple(dict.fromkeys([*nearest, *similar]))[: min(config.first_keyframes, config.keyframes)]
    around = [] if prior is None else [SearchArea(few, prior)]
    if set(few) >= set(similar):
        return [*around, SearchArea(few)]
    return [*around, SearchArea(similar)] if after_rejected else [*around, SearchArea(few), SearchArea(similar)]


def keyframes_around(
    scene_map: SceneMap, image: MatchedImage, map_T_camera: Pose44, config: LocalizerConfig
) -> list[KeyframeFeatures]:
    """Return the keyframes of the guided match: the nearest to a pose estimate, then keyframes that complete the view.

    The nearest keyframes give the best poses, but may all show the same part of the view.
    """
    nearest = scene_map.nearest(map_T_camera, config.keyframes)
    known = scene_map.features(list(dict.fromkeys([*nearest, *image.area.keyframe_ids])))
    first = min(config.guided_nearest_keyframes, len(nearest))
    return cover_view(known, first, config.guided_keyframes, image.query.camera, map_T_camera)


def cover_view(
    keyframes: Sequence[KeyframeFeatures], first: int, count: int, camera: Camera, map_T_camera: Pose44
) -> list[KeyframeFeatures]:
    """Return up to ``count`` keyframes that cover the view of a camera: the first ones, then those that add most cells.

    Keyframes that show no part of the view are left out.
    """
    depths_NP = keyframe_depths(keyframes, camera, map_T_camera).flatten(1).cpu().numpy()
    shown_NP = np.isfinite(depths_NP) & (depths_NP <= OCCLUSION_RATIO * depths_NP.min(0))
    chosen = [i for i in range(min(first, len(keyframes))) if shown_NP[i].any()]
    while len(chosen) < count:
        gain_N = shown_NP @ REPEATED_GAIN ** shown_NP[chosen].sum(0)
        gain_N[chosen] = 0
        if not gain_N.any():
            break
        chosen.append(int(gain_N.argmax()))
    return [keyframes[i] for i in chosen]
