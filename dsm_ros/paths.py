"""Where the package's own files lie: source tree, ROS 2 install space or pip install."""

from __future__ import annotations

from pathlib import Path

from dsm_ros.errors import DsmError


def models_folder() -> Path:
    """Return the folder of the shipped weights."""
    return _package_folder("models")


def config_folder() -> Path:
    """Return the folder of the shipped configuration."""
    return _package_folder("config")


def _package_folder(name: str) -> Path:
    package = Path(__file__).resolve().parent
    # pip keeps it in the package, colcon under share/ of a prefix above, the source tree beside the package:
    # last, because another package's folder of that name may lie beside an installed one.
    candidates = [package / name]
    candidates += [parent / "share" / "dsm_ros" / name for parent in package.parents[:6]]
    candidates += [package.parent / name]
    for folder in candidates:
        if folder.is_dir():
            return folder
    raise DsmError(f"the folder '{name}' of dsm_ros is missing; install the package again")
