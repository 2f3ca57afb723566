"""ros2 launch dsm_ros relocalizer.launch.py map:=/maps/office image:=/camera/image_raw ..."""

from pathlib import Path

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode, Node
from launch_ros.parameter_descriptions import ParameterValue

CONFIG = Path(__file__).resolve().parents[1] / "config"
ARGUMENTS = {
    "map": ("", "Folder (or s3://...) of the map."),
    "image": ("image", "Image topic; with image_transport:=compressed, <image>/compressed is read."),
    "camera_info": ("camera_info", "CameraInfo topic."),
    "cameras": ("", "Names of a rig's cameras, as in front,left: image and camera_info are below each name."),
    "initialpose": ("initialpose", "Topic of pose hints."),
    "image_transport": ("", "raw or compressed."),
    "rectified": ("", "true for rectified images, such as image_rect."),
    "base_frame": ("", "Frame to locate in the map, such as base_link."),
    "odom_frame": ("", "Odometry frame, such as odom: map -> odom is broadcast instead of map -> base."),
    "params_file": (str(CONFIG / "relocalizer.yaml"), "Parameters; an argument that is not empty goes before it."),
    "namespace": ("", "Namespace of the node."),
    "use_sim_time": ("false", "Take time from /clock."),
    "log_level": ("info", "debug, info, warn or error."),
    "rviz": ("false", "Start RViz with dsm.rviz."),
}
PARAMETERS = ("map", "cameras", "image_transport", "rectified", "base_frame", "odom_frame")
SWITCHES = ("rectified",)
SHOWN = ("pose", "map_points", "keyframes", "scene_coordinates", "debug_image")


def generate_launch_description() -> LaunchDescription:
    """Start the relocalizer, which configures and activates itself, and RViz where it is asked for."""
    arguments = [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, (default, text) in ARGUMENTS.items()
    ]
    return LaunchDescription([*arguments, OpaqueFunction(function=relocalizer), rviz()])


def relocalizer(context: LaunchContext) -> list[LifecycleNode]:
    """Return the node; what is left empty is left to the parameter file."""
    value = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    given = {name: argument(name, bool if name in SWITCHES else str) for name in PARAMETERS if value[name]}
    node = LifecycleNode(
        package="dsm_ros",
        executable="relocalizer",
        name="relocalizer",
        namespace=value["namespace"],
        output="screen",
        parameters=[value["params_file"], {**given, "use_sim_time": argument("use_sim_time", bool)}],
        remappings=[*image_remappings(value), ("initialpose", value["initialpose"])],
        ros_arguments=["--log-level", value["log_level"]],
    )
    return [node]


def image_remappings(value: dict[str, str]) -> list[tuple[str, str]]:
    """Return where the images come from, of one camera or of each of a rig's."""
    prefixes = [f"{name.strip()}/" for name in value["cameras"].split(",") if name.strip()] or [""]
    topics = {
        "image": value["image"],
        "image/compressed": f"{value['image']}/compressed",
        "camera_info": value["camera_info"],
    }
    return [(prefix + name, prefix + topic) for prefix in prefixes for name, topic in topics.items()]


def argument(name: str, kind: type) -> ParameterValue:
    """Return an argument as a parameter of a type, whatever its text looks like."""
    return ParameterValue(LaunchConfiguration(name), value_type=kind)


def rviz() -> Node:
    """Return RViz; its configuration names absolute topics, which a namespace moves."""
    return Node(
        package="rviz2",
        executable="rviz2",
        namespace=LaunchConfiguration("namespace"),
        arguments=["-d", str(CONFIG / "dsm.rviz")],
        parameters=[{"use_sim_time": argument("use_sim_time", bool)}],
        remappings=[
            *((f"/relocalizer/{name}", f"relocalizer/{name}") for name in SHOWN),
            ("/image", LaunchConfiguration("image")),
            ("/initialpose", LaunchConfiguration("initialpose")),
        ],
        condition=IfCondition(LaunchConfiguration("rviz")),
    )
