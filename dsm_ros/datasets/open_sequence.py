"""Recognise the layout of a sequence and open it."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from dsm_ros.datasets.frame import Sequence
from dsm_ros.datasets.frame_files import holds_frames
from dsm_ros.datasets.rooms.sequence import open_rooms
from dsm_ros.datasets.rosbag.bag import is_bag
from dsm_ros.datasets.rosbag.sequence import RosbagSequence
from dsm_ros.datasets.seven_scenes import SevenScenesSequence
from dsm_ros.datasets.source_options import BY_THE_RULES, SourceOptions
from dsm_ros.datasets.tum_rgbd import TumSequence
from dsm_ros.errors import SequenceError

LAYOUTS = "7-Scenes (frame-*.color.*), TUM RGB-D (rgb.txt), a bag (metadata.yaml, *.mcap, *.db3, *.bag) or rooms:SEED"
PACKED_ENDINGS = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".7z", ".rar")
FOLDER_OPTIONS = {"--camera-info"}
SEARCH_DEPTH = 3
SHOWN_NAMES = 6


def open_sequence(text: str, options: SourceOptions = BY_THE_RULES) -> Sequence:
    """Open a path or a ``rooms:`` specification.

    Raises SequenceError when it is missing or of no known layout, or when an option is of no use for its layout.
    """
    if text.startswith("rooms:"):
        _refuse(options.given(), f"{text} is a rendered room")
        return open_rooms(text)
    path = Path(text).expanduser()
    try:
        return _open_path(path, text, options)
    except OSError as error:
        raise SequenceError(f"cannot read {error.filename or text}: {error.strerror or error}") from error


def _open_path(path: Path, text: str, options: SourceOptions) -> Sequence:
    if not path.exists():
        raise SequenceError(f"no sequence at {text}; give a folder or bag, or rooms:SEED for a rendered room")
    if is_bag(path):
        return RosbagSequence(path, options)
    if not _is_recording(path):
        raise SequenceError(_advice(path, text))
    _refuse([name for name in options.given() if name not in FOLDER_OPTIONS], f"{text} is a folder of files")
    return TumSequence(path, options) if _is_tum(path) else SevenScenesSequence(path, options)


def _is_tum(path: Path) -> bool:
    return (path / "rgb.txt").is_file()


def _is_recording(path: Path) -> bool:
    return path.is_dir() and (_is_tum(path) or holds_frames(path))


def _refuse(options: list[str], what: str) -> None:
    if options:
        raise SequenceError(f"{', '.join(options)} chooses among the topics of a bag, but {what}; leave it out")


def _advice(path: Path, text: str) -> str:
    """Return what to do about a path that is no sequence: name those in it, or the archives to unpack."""
    if _is_packed(path):
        return f"{text} is packed; unpack it and give the folder of one sequence"
    inner = _sequences_in(path, SEARCH_DEPTH) if path.is_dir() else []
    if inner:
        return (
            f"{text} is a folder of sequences; give one of {_listed(str(found.relative_to(path)) for found in inner)}"
        )
    packed = sorted(found.name for found in path.iterdir() if _is_packed(found)) if path.is_dir() else []
    if packed:
        return f"{text} holds packed sequences; unpack {_listed(packed)} and give the folder of one"
    return f"{text} is of no known layout; known: {LAYOUTS}"


def _is_packed(path: Path) -> bool:
    return path.is_file() and path.name.lower().endswith(PACKED_ENDINGS)


def _sequences_in(folder: Path, levels: int) -> list[Path]:
    """Return the recordings of the uppermost level below a folder that has any."""
    level = [folder]
    for _ in range(levels):
        level = sorted(inner for outer in level for inner in outer.iterdir() if inner.is_dir())
        if found := [inner for inner in level if is_bag(inner) or _is_recording(inner)]:
            return found
    return []


def _listed(names: Iterable[str]) -> str:
    shown = list(islice(names, SHOWN_NAMES + 1))
    return ", ".join(shown[:SHOWN_NAMES]) + (", ..." if len(shown) > SHOWN_NAMES else "")
