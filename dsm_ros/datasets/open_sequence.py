"""Recognise the layout of a sequence and open it."""

from __future__ import annotations

from pathlib import Path

from dsm_ros.datasets.frame import Sequence
from dsm_ros.datasets.rooms.sequence import open_rooms
from dsm_ros.datasets.rosbag import RosbagSequence
from dsm_ros.datasets.seven_scenes import SevenScenesSequence
from dsm_ros.datasets.tum_rgbd import TumSequence
from dsm_ros.errors import SequenceError

LAYOUTS = "7-Scenes (frame-*.color.*), TUM RGB-D (rgb.txt), rosbag2 (metadata.yaml, *.mcap, *.db3) or rooms:SEED"


def open_sequence(text: str) -> Sequence:
    """Open a path or a ``rooms:`` specification. Raises SequenceError when it is missing or of no known layout."""
    if text.startswith("rooms:"):
        return open_rooms(text)
    path = Path(text).expanduser()
    if not path.exists():
        raise SequenceError(f"no sequence at {text}; give a folder or bag, or rooms:SEED for a rendered room")
    if path.suffix in (".mcap", ".db3") or (path / "metadata.yaml").is_file():
        return RosbagSequence(path)
    if (path / "rgb.txt").is_file():
        return TumSequence(path)
    if path.is_dir() and next(path.glob("frame-*.color.*"), None):
        return SevenScenesSequence(path)
    raise SequenceError(f"{text} is of no known layout; known: {LAYOUTS}")
