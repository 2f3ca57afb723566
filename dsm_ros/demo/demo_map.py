"""The map of the demo, which replaces only a map of an earlier demo."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from dsm_ros.datasets.frame import FrameSequence
from dsm_ros.errors import MapError
from dsm_ros.progress import progress_bar
from dsm_ros.scene_map.builder import KeyframeEncoder, build_map
from dsm_ros.scene_map.location import require_writable
from dsm_ros.scene_map.store import open_store

SESSION = "demo"


def require_replaceable(path: Path) -> None:
    """Raise MapError unless a path is new or a map of an earlier demo, and its folder is writable."""
    if os.path.lexists(path) and not _is_of_demo(path):
        raise MapError(f"{path} exists and is not a map of the demo; choose another folder with --out")
    require_writable(str(path))


def build_demo_map(sequence: FrameSequence, frames: Sequence[int], path: Path, encoder: KeyframeEncoder) -> None:
    """Build a map in a new folder, then replace the map of an earlier demo. Raises errors as ``build_map`` does."""
    new = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        with progress_bar("building the map") as on_progress:
            build_map(sequence, frames, str(new), encoder, SESSION, append=False, on_progress=on_progress)
        require_replaceable(path)
        if path.exists():
            shutil.rmtree(path)
        new.rename(path)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _is_of_demo(path: Path) -> bool:
    """Return whether a folder contains a readable map with keyframes of the demo only, and nothing else."""
    if path.is_symlink() or not path.is_dir() or any(entry.suffix != ".lance" for entry in path.iterdir()):
        return False
    try:
        return set(open_store(str(path)).index()["session"].to_pylist()) == {SESSION}
    except MapError:
        return False
