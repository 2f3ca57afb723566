"""What the node localizes with: network, map, and what of the map is shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.tracker import ImageLocalizer
from dsm_ros.node.display.thumbnails import Thumbnails
from dsm_ros.node.outputs import KeyframeImages
from dsm_ros.node.parameters import NodeParameters
from dsm_ros.process import use_threads

if TYPE_CHECKING:
    from dsm_ros.network.dsm_net import DsmNet


PRELOADED_KEYFRAMES = 1000  # half a GB, in about a second


class MapLocalizer(ImageLocalizer, Protocol):
    """A localizer whose limits may be changed between two images."""

    config: LocalizerConfig


@dataclass(frozen=True)
class Loaded:
    """A localizer on a map, the map's frame, its points (metres, RGB) and keyframe poses, and images by keyframe id.

    network: of the localizer; another map is localized in with the same one.
    """

    localizer: MapLocalizer
    network: DsmNet
    map_frame: str
    points_N3: NDArray[np.float64]
    colors_N3: NDArray[np.uint8]
    map_T_keyframes_N44: NDArray[np.float64]
    keyframe_images: KeyframeImages


Loader = Callable[[NodeParameters, str, Loaded | None], Loaded]


def load(values: NodeParameters, map_uri: str, in_use: Loaded | None) -> Loaded:
    """Load a map, and the network unless one is in use. Raises DsmError when either cannot be used."""
    from dsm_ros.geometry.rig_pnp import require_solver
    from dsm_ros.localization.rig import RigLocalizer
    from dsm_ros.network.checkpoint import load_network
    from dsm_ros.network.runtime import Runtime
    from dsm_ros.scene_map.scene_map import SceneMap

    if len(values.camera_names()) > 1:
        require_solver()
    use_threads(1)  # all others are for the worker
    network = (
        in_use.network
        if in_use
        else load_network(Path(values.model) if values.model else None, values.device, Runtime(values.runtime))
    )
    scene_map = SceneMap.open(map_uri, network.model_hash, values.device)
    scene_map.preload(PRELOADED_KEYFRAMES)
    localizer = RigLocalizer(scene_map, network, values.localizer_config())
    points_N3, colors_N3 = scene_map.points(values.map_points)
    thumbnails = Thumbnails(scene_map)
    return Loaded(localizer, network, scene_map.frame_name, points_N3, colors_N3, scene_map.poses_N44, thumbnails.of)
