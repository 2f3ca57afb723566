"""Loader of the network, the map, and the points and keyframes to display."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.tracker import ImageLocalizer
from dsm_ros.localization.view import View
from dsm_ros.node.display.thumbnails import Thumbnails
from dsm_ros.node.parameters.node_parameters import NodeParameters
from dsm_ros.process import use_threads

if TYPE_CHECKING:
    from dsm_ros.network.dsm_net import DsmNet

NO_MAP = "no map is loaded; set the parameter map, or set map_roots to the folders of your maps and call ~/load_map"
PRELOADED_KEYFRAMES = 1000  # half a GB, in about a second
PRELOADED_PATCHES = 200  # keyframes, in two to three seconds
KeyframeImages = Callable[[Sequence[int]], list[NDArray[np.uint8]]]


class MapLocalizer(ImageLocalizer, Protocol):
    """A localizer that can encode images ahead, and whose configuration may change between two images."""

    def encode_ahead(self, views: Sequence[View]) -> list[View]:
        """Return views with their features, while another thread may localize the images before."""

    def use_config(self, config: LocalizerConfig) -> None:
        """Use another configuration from the next image on."""


@dataclass(frozen=True)
class Loaded:
    """A localizer in a map, with the points and keyframes of the map to display.

    network: used again for the next map. map_frame: frame of the points (m) and of the keyframe poses. colors_N3: uint8
    RGB. keyframe_images: returns small images of keyframes by id. release_features: frees the memory of the
    map's features, which are read again when an image needs them.
    """

    localizer: MapLocalizer
    network: DsmNet
    map_frame: str
    points_N3: NDArray[np.float64]
    colors_N3: NDArray[np.uint8]
    map_T_keyframes_N44: NDArray[np.float64]
    keyframe_images: KeyframeImages
    release_features: Callable[[], None]


Loader = Callable[[NodeParameters, str, Loaded | None], Loaded]


def load(values: NodeParameters, map_uri: str, in_use: Loaded | None) -> Loaded:
    """Load a map, and the network unless a network is in use. Raises DsmError if map or network cannot be used."""
    from dsm_ros.geometry.rig_pnp import require_solver
    from dsm_ros.localization.localizer import Localizer
    from dsm_ros.network.checkpoint import load_network
    from dsm_ros.network.runtime import Runtime
    from dsm_ros.scene_map.scene_map import SceneMap

    if len(values.camera_names()) > 1:
        require_solver()
    use_threads(1)  # in this thread; the threads of the pipeline have their own numbers
    network = (
        in_use.network
        if in_use
        else load_network(Path(values.model) if values.model else None, values.device, Runtime(values.runtime))
    )
    scene_map = SceneMap.open(map_uri, network.model_hash, values.device)
    localizer = Localizer(scene_map, network, values.localizer_config())
    points_N3, colors_N3 = scene_map.points(values.map_points)
    if in_use:
        in_use.release_features()  # before the features of the new map are read, so that memory holds only one map
    scene_map.preload(PRELOADED_KEYFRAMES)
    scene_map.preload_patches(PRELOADED_PATCHES)
    return Loaded(
        localizer,
        network,
        scene_map.frame_name,
        points_N3,
        colors_N3,
        scene_map.poses_N44,
        Thumbnails(scene_map).of,
        scene_map.release_features,
    )
