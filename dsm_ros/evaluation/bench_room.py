"""The rendered room of the benchmarks: a map of every fifth frame, query frames between them, and a video."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from dsm_ros.datasets.frame import Frame
from dsm_ros.datasets.open_sequence import open_sequence
from dsm_ros.network.dsm_net import DsmNet
from dsm_ros.scene_map.builder import build_map

ROOM = "rooms:7"
MAP_FRAMES, QUERY_FRAMES = range(0, 60, 5), range(2, 60, 5)
VIDEO_FRAMES = [index for index in range(20, 40) if index not in MAP_FRAMES]  # the camera turns by 50 degrees a second


def build_bench_room(map_uri: Path, network: DsmNet, on_progress: Callable[[int, int], None]) -> None:
    """Build the map of the room."""
    build_map(open_sequence(ROOM), MAP_FRAMES, str(map_uri), network, "bench", append=False, on_progress=on_progress)


def bench_frames(indices: Iterable[int]) -> list[Frame]:
    """Return frames of the room (640x480); QUERY_FRAMES are single images, VIDEO_FRAMES are consecutive."""
    room = open_sequence(ROOM)
    return [room[index] for index in indices]
