"""ros2 launch dsm_ros relocalizer.launch.py map:=/maps/office image:=/camera/image_raw ..."""

import os

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode
from launch_ros.parameter_descriptions import ParameterValue

ARGUMENTS = {
    "map": ("", "Folder of the map; required."),
    "image": ("image", "Image topic."),
    "camera_info": ("camera_info", "CameraInfo topic."),
    "params_file": (
        os.path.join(get_package_share_directory("dsm_ros"), "config", "relocalizer.yaml"),
        "Parameters; the map argument overrides the file's.",
    ),
    "namespace": ("", "Namespace of the node."),
    "use_sim_time": ("false", "Take time from /clock."),
}


def generate_launch_description() -> LaunchDescription:
    """Start the relocalizer; it configures and activates itself."""
    value = {name: LaunchConfiguration(name) for name in ARGUMENTS}
    node = LifecycleNode(
        package="dsm_ros",
        executable="relocalizer",
        name="relocalizer",
        namespace=value["namespace"],
        output="screen",
        parameters=[
            value["params_file"],
            {
                "map": ParameterValue(value["map"], value_type=str),
                "use_sim_time": ParameterValue(value["use_sim_time"], value_type=bool),
            },
        ],
        remappings=[("image", value["image"]), ("camera_info", value["camera_info"])],
    )
    arguments = [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, (default, text) in ARGUMENTS.items()
    ]
    return LaunchDescription([*arguments, node])
