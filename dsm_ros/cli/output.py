"""Writing result files: refuse early, write whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from dsm_ros.errors import DsmError


def require_writable(path: Path) -> None:
    """Raise DsmError, before any work is done, when a file cannot be written there."""
    folder = path.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK) or path.is_dir():
        raise DsmError(f"cannot write {path}; give a file in an existing, writable folder")


def write_atomically(path: Path, text: str) -> None:
    """Write a text file so that readers see the old or the new content, never a part."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text)
    temporary.replace(path)
