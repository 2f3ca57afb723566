"""Writing of result files and metrics."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

from dsm_ros.errors import DsmError
from dsm_ros.files import why_not_writable, write_whole

STDOUT = Path("-")


def require_writable(path: Path) -> None:
    """Raise DsmError when a file cannot be written; commands call this function before any other work."""
    if not path.parent.is_dir() or path.is_dir() or why_not_writable(path.parent):
        raise DsmError(f"cannot write {path}; give a file in an existing, writable folder")


def require_writable_json(path: Path | None) -> None:
    """Raise DsmError when ``write_metrics`` cannot write to a path; commands check first."""
    if path and path != STDOUT:
        require_writable(path)


def require_writable_plots(folder: Path | None) -> None:
    """Raise DsmError when plots cannot be written to a folder; commands check first."""
    if folder and (reason := why_not_writable(folder)):
        raise DsmError(f"cannot write plots to {folder}: {reason}; choose another folder")


def write_metrics(metrics: object, path: Path | None, show: Callable[[], object]) -> None:
    """Print metrics as a readable table with ``show``, and write the metrics to a JSON file if a path is given.

    For the path "-" only the JSON text is printed.
    """
    text = json.dumps(metrics, indent=2) + "\n"
    if path == STDOUT:
        sys.stdout.write(text)
        return
    show()
    if path:
        write_whole(path, text.encode())
