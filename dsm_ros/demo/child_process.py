"""Child processes that run modules of this package in a separate ROS domain."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from dsm_ros.paths import config_folder

STOP_TIMEOUT_S = 10.0


@contextmanager
def process(*arguments: str, stdout: int | IO[str] | None = None) -> Iterator[subprocess.Popen[str]]:
    """Run a Python module in another process, and stop the process when the block ends or fails."""
    started = subprocess.Popen([sys.executable, "-m", *arguments], stdout=stdout, text=True)
    try:
        yield started
    finally:
        started.terminate()
        try:
            started.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            started.kill()


def prepare_ros() -> None:
    """Set a separate ROS domain for this process and its children, and enough shared memory for whole images.

    Only ROS contexts created later are affected; environment variables that are already set keep their values.
    """
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    os.environ.setdefault("ROS_DOMAIN_ID", str(1 + os.getpid() % 100))
    send_whole_images()


def send_whole_images() -> None:
    """Give this process and its children shared memory for whole images, unless Fast DDS already has a profile."""
    kind = "FASTRTPS" if os.environ.get("ROS_DISTRO") in ("humble", "jazzy") else "FASTDDS"
    os.environ.setdefault(f"{kind}_DEFAULT_PROFILES_FILE", str(config_folder() / "fastdds.xml"))
