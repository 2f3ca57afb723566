#!/bin/bash
# Test a workspace that colcon has built, as a user installs it (docs/install.md), in a shell that has sourced the
# workspace. Arguments go to install_libraries.
set -eo pipefail
cd "$(dirname "$0")/.."
ros2 run dsm_ros install_libraries "$@"
ros2 run dsm_ros dsm --help
ros2 launch dsm_ros relocalizer.launch.py --show-args
ros2 run dsm_ros python -m pip install -r requirements/check.txt
ros2 run dsm_ros python -m pytest -m full_ros
ros2 run dsm_ros python -m pytest test/test_launch_files.py test/node
