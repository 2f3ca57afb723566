"""Benchmark of the time that ROS adds to each image; ``dsm bench --ros`` runs this program and prints its table."""

from __future__ import annotations

import json
from dataclasses import asdict

from dsm_ros.demo.child_process import prepare_ros
from dsm_ros.demo.exit_status import exit_on_failure
from dsm_ros.process import prepare_process


def main() -> None:
    """Print the rows of the table as JSON; a failure prints one line and gives exit status 2."""
    prepare_process()  # before the imports of numpy and torch
    prepare_ros()
    with exit_on_failure("dsm"):
        from dsm_ros.demo.ros_measurements import run

        print(json.dumps([asdict(row) for row in run()]))


if __name__ == "__main__":
    main()
