"""Command line of the node's program: help, and errors in one line."""

from __future__ import annotations

import re
import sys

from rclpy.exceptions import NameValidationException, ParameterException
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.utilities import remove_ros_args

USAGE = """\
usage: ros2 run dsm_ros relocalizer [-h] [--ros-args [-p NAME:=VALUE] [--params-file FILE] [-r FROM:=TO] ...]

Localize camera images in a prebuilt map, and publish the pose of the camera or of the robot.

  -h, --help            print this help
  -p NAME:=VALUE        set a parameter; docs/parameters.md lists all parameters
  --params-file FILE    read parameters from a YAML file, for example a copy of config/relocalizer.yaml
  -r FROM:=TO           rename a topic; docs/topics.md lists all topics

Example: --ros-args -p map:=MAP -r image:=/camera/image_raw -r camera_info:=/camera/camera_info"""
SOURCE_LINES = re.compile(r", at \S+:\d+")  # of rcl, after its messages
# Errors of arguments, of names and of parameters; all other errors are defects of the program.
START_ERRORS = (ValueError, rclpy_implementation.RCLError, ParameterException, NameValidationException)


def asks_for_help() -> bool:
    """Return whether the command line asks for help. Raises ValueError for a command line that cannot be used."""
    try:
        arguments = remove_ros_args(args=sys.argv)[1:]
    except rclpy_implementation.UnknownROSArgsError as error:
        names = re.findall(r"'([^']*)'", str(error))
        raise ValueError(f"unknown ROS arguments: {', '.join(names)}") from error
    if {"-h", "--help"} & set(arguments):
        return True
    if arguments:
        raise ValueError(f"unknown arguments: {' '.join(arguments)}; parameters follow --ros-args -p; see --help")
    return False


def one_line(error: Exception) -> str:
    """Return the message of an error as one line, without places in the source text of rcl."""
    return " ".join(SOURCE_LINES.sub("", str(error)).split())
