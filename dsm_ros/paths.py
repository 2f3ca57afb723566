"""Folders of the package's own files, in a source tree, a ROS 2 install space or a pip installation."""

from __future__ import annotations

from pathlib import Path

from dsm_ros.errors import DsmError


def models_folder() -> Path:
    """Return the folder of the weights that come with the package."""
    return _package_folder("models")


def config_folder() -> Path:
    """Return the folder of the configuration files that come with the package."""
    return _package_folder("config")


def _package_folder(name: str) -> Path:
    package = Path(__file__).resolve().parent
    # pip installs the folder inside the package, colcon under share/ of an enclosing prefix. The folder beside the
    # package, as in the source tree, comes last: in site-packages it may belong to another package.
    candidates = [package / name]
    candidates += [parent / "share" / "dsm_ros" / name for parent in package.parents[:6]]
    candidates += [package.parent / name]
    for folder in candidates:
        if folder.is_dir():
            return folder
    raise DsmError(f"the folder '{name}' of dsm_ros is missing; reinstall the package")
