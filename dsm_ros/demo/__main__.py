"""Command line of the demo, ``python -m dsm_ros.demo``."""

from __future__ import annotations

import argparse
from pathlib import Path

from dsm_ros.demo.child_process import prepare_ros
from dsm_ros.demo.exit_status import exit_on_failure
from dsm_ros.demo.rate import CAMERA_RATE_HZ, parse_rate
from dsm_ros.process import prepare_process

DESCRIPTION = """Build a map from one part of a sequence, or from a walk (a closed camera path) through a rendered room.
Start the node, stream the other part or another walk to the node through DDS at camera rate, record the poses of the
node, and compare the poses with ground truth."""


def main() -> None:
    """Parse the command line and run the demo; bad input gives one line and exit status 2."""
    prepare_process()  # before the imports of numpy and torch
    parser = argparse.ArgumentParser(prog="python -m dsm_ros.demo", description=DESCRIPTION)
    parser.add_argument("--sequence", help="sequence with ground truth poses; default: a rendered room")
    parser.add_argument("--out", type=Path, default=Path("out/demo"), help="folder of the results")
    parser.add_argument("--rate", type=parse_rate, default=CAMERA_RATE_HZ, help="frames per second")
    parser.add_argument("--animation", action="store_true", help="also write the animation demo.webp")
    arguments = parser.parse_args()
    prepare_ros()
    with exit_on_failure("demo"):
        from dsm_ros.demo.run import run

        run(arguments.sequence, arguments.out, arguments.rate, arguments.animation)


if __name__ == "__main__":
    main()
