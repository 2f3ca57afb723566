"""The sequence, its frames and a localizer on a map, as localize and evaluate use them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dsm_ros.datasets.frame import Sequence
    from dsm_ros.datasets.source_options import SourceOptions
    from dsm_ros.localization.localizer import Localizer
    from dsm_ros.network.dsm_net import DsmNet


def open_session(
    map_uri: str, sequence: str, sources: SourceOptions, frames: str | None, single: bool, load: Callable[[], DsmNet]
) -> tuple[Localizer, Sequence, range]:
    """Open a map and a sequence; ``single`` localizes every frame on its own; ``load`` makes the network."""
    from dsm_ros.datasets.frame import parse_frames
    from dsm_ros.datasets.open_sequence import open_sequence
    from dsm_ros.localization.config import LocalizerConfig
    from dsm_ros.localization.localizer import Localizer
    from dsm_ros.progress import spinner
    from dsm_ros.scene_map.scene_map import SceneMap

    with spinner(f"opening {sequence}"):
        opened = open_sequence(sequence, sources)
    indices = parse_frames(frames, len(opened))
    network = load()
    scene_map = SceneMap.open(map_uri, network.model_hash, str(network.device))
    return Localizer(scene_map, network, LocalizerConfig(temporal=not single)), opened, indices
