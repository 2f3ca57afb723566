"""Launch one relocalizer for each of several robots, with the topics and the TF tree of the robot in its namespace.

Example: ros2 launch dsm_ros robots.launch.py robots:=robot1,robot2 map:=/maps/office odom_frame:=odom
"""

from pathlib import Path

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, GroupAction, IncludeLaunchDescription, OpaqueFunction
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration

RELOCALIZER = Path(__file__).with_name("relocalizer.launch.py")
ARGUMENTS = {"robots": ("robot1,robot2", "Namespaces of the robots.")}


def generate_launch_description() -> LaunchDescription:
    """Start a relocalizer for each robot. All arguments of relocalizer.launch.py apply to each relocalizer."""
    arguments = [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, (default, text) in ARGUMENTS.items()
    ]
    return LaunchDescription([*arguments, OpaqueFunction(function=relocalizers)])


def relocalizers(context: LaunchContext) -> list[GroupAction]:
    """Return the relocalizers of all robots."""
    names = LaunchConfiguration("robots").perform(context).split(",")
    return [relocalizer(name.strip()) for name in names if name.strip()]


def relocalizer(namespace: str) -> GroupAction:
    """Return the relocalizer of one robot. The group keeps the arguments of this robot from the other robots."""
    own = {"namespace": namespace, "tf": "tf", "tf_static": "tf_static"}
    return GroupAction(
        [IncludeLaunchDescription(PythonLaunchDescriptionSource(str(RELOCALIZER)), launch_arguments=own.items())]
    )
