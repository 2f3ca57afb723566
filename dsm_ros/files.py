"""Atomic writing of files, and checks of folders before any work."""

from __future__ import annotations

import tempfile
from pathlib import Path
from uuid import uuid4


def write_whole(path: Path, content: bytes) -> None:
    """Write a file atomically, so that readers get the old or the new content while threads or processes write."""
    temporary = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def why_not_writable(folder: Path) -> str:
    """Return why a folder, or the nearest existing parent of a new folder, is not writable; empty if it is writable."""
    folder = folder.absolute()
    while not folder.exists():
        folder = folder.parent
    try:
        # Permissions are not enough: some file systems refuse new folders even to root.
        tempfile.TemporaryDirectory(dir=folder).cleanup()
    except OSError as error:
        return f"{folder} is not writable ({error.strerror})"
    return ""
