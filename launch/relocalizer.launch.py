"""Launch the relocalizer, and RViz on request.

Example: ros2 launch dsm_ros relocalizer.launch.py map:=/maps/office image:=/camera/image_raw
    camera_info:=/camera/camera_info base_frame:=base_link
"""

from pathlib import Path

from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode, Node
from launch_ros.parameter_descriptions import ParameterValue

CONFIG = Path(__file__).resolve().parents[1] / "config"
ARGUMENTS = {
    "map": ("", "Folder (or s3:// URI) of the map."),
    "image": ("image", "Image topic; with image_transport:=compressed the node subscribes to <image>/compressed."),
    "camera_info": ("camera_info", "CameraInfo topic."),
    "cameras": (
        "",
        "Names of the cameras of a rig, for example front,left. Topics: <name>/<image> and <name>/<camera_info>.",
    ),
    "initialpose": ("initialpose", "Topic of pose hints, and of the poses that publish_initialpose sends."),
    "image_transport": ("", "Transport of the images: raw or compressed."),
    "rectified": ("", "true if the images are rectified (image_rect)."),
    "base_frame": ("", "Robot frame to locate in the map, for example base_link."),
    "odom_frame": (
        "",
        "Odometry frame, for example odom; if set, the node broadcasts map -> odom instead of map -> base.",
    ),
    "tf": ("/tf", "Topic of transforms; tf:=tf uses the topic tf in the namespace of the node."),
    "tf_static": ("/tf_static", "Topic of static transforms; tf_static:=tf_static uses the namespace too."),
    "params_file": (str(CONFIG / "relocalizer.yaml"), "YAML file of parameters; launch arguments override the file."),
    "namespace": ("", "Namespace of the node."),
    "use_sim_time": ("false", "Use the time on /clock."),
    "log_level": ("info", "Level of the node's log: debug, info, warn or error."),
    "rviz": ("false", "Start RViz with dsm.rviz."),
}
PARAMETERS = ("map", "cameras", "image_transport", "rectified", "base_frame", "odom_frame")
BOOLEAN_PARAMETERS = ("rectified",)
RVIZ_TOPICS = ("pose", "map_points", "keyframes", "scene_coordinates", "debug_image")


def generate_launch_description() -> LaunchDescription:
    """Start the relocalizer, and RViz with rviz:=true."""
    arguments = [
        DeclareLaunchArgument(name, default_value=default, description=text)
        for name, (default, text) in ARGUMENTS.items()
    ]
    return LaunchDescription([*arguments, OpaqueFunction(function=relocalizer), rviz()])


def relocalizer(context: LaunchContext) -> list[LifecycleNode]:
    """Return the node. Launch arguments that are not empty override the parameter file."""
    value = {name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS}
    given = {name: argument(name, bool if name in BOOLEAN_PARAMETERS else str) for name in PARAMETERS if value[name]}
    node = LifecycleNode(
        package="dsm_ros",
        executable="relocalizer",
        name="relocalizer",
        namespace=value["namespace"],
        output="screen",
        parameters=[value["params_file"], {**given, "use_sim_time": argument("use_sim_time", bool)}],
        remappings=[
            *image_remappings(value),
            ("initialpose", value["initialpose"]),
            ("/tf", value["tf"]),
            ("/tf_static", value["tf_static"]),
        ],
        ros_arguments=["--log-level", value["log_level"]],
    )
    return [node]


def image_remappings(value: dict[str, str]) -> list[tuple[str, str]]:
    """Return the remappings of the topics of one camera, or of each camera of a rig."""
    prefixes = [f"{name.strip()}/" for name in value["cameras"].split(",") if name.strip()] or [""]
    topics = {
        "image": value["image"],
        "image/compressed": f"{value['image']}/compressed",
        "camera_info": value["camera_info"],
    }
    return [(prefix + name, prefix + topic) for prefix in prefixes for name, topic in topics.items()]


def argument(name: str, kind: type) -> ParameterValue:
    """Return a launch argument as a parameter of a given type."""
    return ParameterValue(LaunchConfiguration(name), value_type=kind)


def rviz() -> Node:
    """Return RViz. Its configuration has absolute topic names, which are remapped into the namespace."""
    return Node(
        package="rviz2",
        executable="rviz2",
        namespace=LaunchConfiguration("namespace"),
        arguments=["-d", str(CONFIG / "dsm.rviz")],
        parameters=[{"use_sim_time": argument("use_sim_time", bool)}],
        remappings=[
            *((f"/relocalizer/{name}", f"relocalizer/{name}") for name in RVIZ_TOPICS),
            ("/image", LaunchConfiguration("image")),
            ("/initialpose", LaunchConfiguration("initialpose")),
            ("/tf", LaunchConfiguration("tf")),
            ("/tf_static", LaunchConfiguration("tf_static")),
        ],
        condition=IfCondition(LaunchConfiguration("rviz")),
    )
