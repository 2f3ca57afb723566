"""Result files: refused early, written whole."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from dsm_ros.errors import DsmError
from dsm_ros.files import write_whole

STDOUT = Path("-")


def require_writable(path: Path) -> None:
    """Raise DsmError, before any work is done, when a file cannot be written there."""
    folder = path.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK) or path.is_dir():
        raise DsmError(f"cannot write {path}; give a file in an existing, writable folder")


def require_writable_json(path: Path | None) -> None:
    """Raise DsmError, before any work is done, when ``give_figures`` cannot write there."""
    if path and path != STDOUT:
        require_writable(path)


def give_figures(figures: object, path: Path | None, show: Callable[[], object]) -> None:
    """Show figures to people and write them to a JSON file, if one is given; to stdout ("-") they go alone."""
    text = json.dumps(figures, indent=2) + "\n"
    if path == STDOUT:
        sys.stdout.write(text)
        return
    show()
    if path:
        write_whole(path, text.encode())
