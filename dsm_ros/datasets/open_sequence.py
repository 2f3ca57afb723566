"""Opening of sequences, whose layout is recognised by their files."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from dsm_ros.datasets.frame import FrameSequence
from dsm_ros.datasets.rooms.sequence import open_rooms
from dsm_ros.datasets.rosbag.bag import is_bag
from dsm_ros.datasets.rosbag.sequence import RosbagSequence
from dsm_ros.datasets.seven_scenes.frame_files import holds_frames
from dsm_ros.datasets.seven_scenes.sequence import SevenScenesSequence
from dsm_ros.datasets.source_options import DEFAULT_SOURCES, SourceOptions
from dsm_ros.datasets.tum.sequence import TumSequence
from dsm_ros.errors import SequenceError

LAYOUTS = "7-Scenes (frame-*.color.*), TUM RGB-D (rgb.txt), a bag (metadata.yaml, *.mcap, *.db3, *.bag) or rooms:SEED"
ARCHIVE_ENDINGS = (".zip", ".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz", ".7z", ".rar")
FOLDER_OPTIONS = {"--camera-info"}
SEARCH_DEPTH = 3
MAX_LISTED = 6


def open_sequence(text: str, options: SourceOptions = DEFAULT_SOURCES) -> FrameSequence:
    """Open the sequence at a path or of a ``rooms:`` specification.

    Raises SequenceError when the path does not exist, its layout is unknown, or an option does not apply to its layout.
    """
    if text.startswith("rooms:"):
        _refuse_options(options.given(), f"{text} is a rendered room")
        return open_rooms(text)
    path = Path(text).expanduser()
    try:
        return _open_path(path, text, options)
    except OSError as error:
        raise SequenceError(f"cannot read {error.filename or text}: {error.strerror or error}") from error


def _open_path(path: Path, text: str, options: SourceOptions) -> FrameSequence:
    if not path.exists():
        raise SequenceError(f"{text} does not exist; give a folder, a bag, or rooms:SEED for a rendered room")
    if is_bag(path):
        return RosbagSequence(path, options)
    if not _is_recording(path):
        raise SequenceError(_advice(path, text))
    _refuse_options([name for name in options.given() if name not in FOLDER_OPTIONS], f"{text} is a folder of files")
    return TumSequence(path, options) if _is_tum(path) else SevenScenesSequence(path, options)


def _is_tum(path: Path) -> bool:
    return (path / "rgb.txt").is_file()


def _is_recording(path: Path) -> bool:
    return path.is_dir() and (_is_tum(path) or holds_frames(path))


def _refuse_options(options: list[str], what: str) -> None:
    if options:
        raise SequenceError(f"{', '.join(options)} applies only to bags, but {what}; leave the option out")


def _advice(path: Path, text: str) -> str:
    """Return the error message for a path that is not a sequence, with the sequences or archives in the path."""
    if _is_archive(path):
        return f"{text} is an archive; unpack the archive, and give the folder of one sequence"
    inner = _sequences_in(path, SEARCH_DEPTH) if path.is_dir() else []
    if inner:
        names = _listed(str(found.relative_to(path)) for found in inner)
        return f"{text} contains several sequences; give the folder of one sequence: {names}"
    archives = sorted(found.name for found in path.iterdir() if _is_archive(found)) if path.is_dir() else []
    if archives:
        return f"{text} contains archives; unpack {_listed(archives)}, and give the folder of one sequence"
    return f"{text} has no known layout; give one of: {LAYOUTS}"


def _is_archive(path: Path) -> bool:
    return path.is_file() and path.name.lower().endswith(ARCHIVE_ENDINGS)


def _sequences_in(folder: Path, levels: int) -> list[Path]:
    """Return the recordings at the highest folder level that contains recordings."""
    level = [folder]
    for _ in range(levels):
        level = sorted(inner for outer in level for inner in outer.iterdir() if inner.is_dir())
        if found := [inner for inner in level if is_bag(inner) or _is_recording(inner)]:
            return found
    return []


def _listed(names: Iterable[str]) -> str:
    listed = list(islice(names, MAX_LISTED + 1))
    return ", ".join(listed[:MAX_LISTED]) + (", ..." if len(listed) > MAX_LISTED else "")
