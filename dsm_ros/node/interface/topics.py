"""Topics, services and actions of the relocalizer, with name, type, QoS and meaning of each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseWithCovarianceStamped
from nav_msgs.msg import Odometry
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2
from std_msgs.msg import Empty
from std_srvs.srv import Empty as EmptyService
from std_srvs.srv import Trigger
from tf2_msgs.msg import TFMessage
from visualization_msgs.msg import MarkerArray

from dsm_ros.action import Relocalize
from dsm_ros.msg import RelocalizationStatus
from dsm_ros.srv import LoadMap

SENSOR = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
RELIABLE = QoSProfile(depth=10)
NEWEST = QoSProfile(depth=1)
GOALS = QoSProfile(depth=100)  # requests of many clients at once, which ROS's default of 10 would lose
LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL, reliability=ReliabilityPolicy.RELIABLE)
TF_QOS = QoSProfile(depth=100)
TF_STATIC_QOS = QoSProfile(
    depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL, reliability=ReliabilityPolicy.RELIABLE
)


@dataclass(frozen=True)
class Topic:
    """A topic that the node subscribes to or publishes.

    entity_id: part of the names of the QoS parameters, for a second subscription to the same topic.
    """

    name: str
    kind: type
    qos: QoSProfile
    description: str
    entity_id: str | None = None


@dataclass(frozen=True)
class Server:
    """A service or an action of the node."""

    name: str
    kind: Any
    description: str


IMAGE = Topic(
    "image",
    Image,
    SENSOR,
    "Colour image in any common encoding. Each camera of a rig has its own topic, for example `front/image`.",
)
COMPRESSED_IMAGE = Topic(
    "image/compressed",
    CompressedImage,
    SENSOR,
    "JPEG or PNG image, in place of `image` with `image_transport: compressed`.",
)
CAMERA_INFO = Topic(
    "camera_info",
    CameraInfo,
    SENSOR,
    "Calibration of the camera, which may change at any time. Distortion models: plumb_bob, rational_polynomial, "
    "equidistant. Each camera of a rig has its own topic, for example `front/camera_info`.",
)
LATCHED_CAMERA_INFO = replace(
    CAMERA_INFO,
    qos=LATCHED,
    description="A second subscription, which exists only if a driver publishes `camera_info` latched.",
    entity_id="latched",
)
HINT = Topic(
    "initialpose",
    PoseWithCovarianceStamped,
    NEWEST,
    "Hint: approximate pose of the base, in the map frame or in any frame that TF connects with the map frame.",
)
TRIGGER = Topic("~/trigger", Empty, NEWEST, "Starts a search of the whole map, for `rescue_timeout_s`.")
TF_IN = Topic("/tf", TFMessage, TF_QOS, "Transforms of the robot, in particular from `odom_frame` to the camera.")
TF_STATIC = Topic(
    "/tf_static", TFMessage, TF_STATIC_QOS, "Fixed transforms, in particular from `base_frame` to the camera."
)
WATCHED_POSE = Topic(
    "value of `watch_topic`", PoseWithCovarianceStamped, SENSOR, "Pose of another localizer, with `watch_type: pose`."
)
WATCHED_ODOMETRY = Topic(
    "value of `watch_topic`", Odometry, SENSOR, "Pose of another localizer, with `watch_type: odometry`."
)

POSE = Topic(
    "~/pose",
    PoseWithCovarianceStamped,
    RELIABLE,
    "Pose of `base_frame` in the map, or of the camera without `base_frame`, with the image's timestamp. "
    "Only accepted poses are published.",
)
CAMERA_POSE = Topic(
    "~/camera_pose",
    PoseWithCovarianceStamped,
    RELIABLE,
    "Pose of the camera in the map, as measured. For a rig of cameras: pose of `base_frame`. "
    "Only accepted poses are published.",
)
STATUS = Topic(
    "~/status",
    RelocalizationStatus,
    LATCHED,
    "Result of each image: state, reason, inliers, confidence, time of each stage, keyframes, counts of images.",
)
SCENE_COORDINATES = Topic(
    "~/scene_coordinates",
    PointCloud2,
    NEWEST,
    "3-D map point of each image cell, as an organised cloud (x, y, z, rgb, confidence). Points with a "
    "confidence of 0.5 or more are matched, all other points are extrapolated from the neighbouring surface. The cloud "
    "is published only when subscribed.",
)
DEBUG_IMAGE = Topic(
    "~/debug_image",
    Image,
    NEWEST,
    "Query image with its matched cells, scene coordinates, confidence and keyframes; published only when subscribed.",
)
MAP_POINTS = Topic("~/map_points", PointCloud2, LATCHED, "Coloured points of the map, at most `map_points` of them.")
KEYFRAMES = Topic("~/keyframes", MarkerArray, LATCHED, "Poses of the map's keyframes, drawn as camera frusta.")
TF_OUT = Topic(
    "/tf",
    TFMessage,
    TF_QOS,
    "Transform from the map frame to `odom_frame`, at 20 Hz. Without `odom_frame`: transform from the map frame to "
    "`base_frame` or to the camera, with each accepted pose.",
)
DIAGNOSTICS = Topic(
    "/diagnostics",
    DiagnosticArray,
    RELIABLE,
    "Health of image input, localization, transforms and map, once a second in every state of the node.",
)
RESCUE_POSE = Topic(
    "initialpose",
    PoseWithCovarianceStamped,
    NEWEST,
    "Pose of the base that a rescue found, for another localizer; published only with `publish_initialpose`.",
)

RELOCALIZE = Server(
    "~/relocalize",
    Relocalize,
    "Requests one pose before a timeout. Returns a pose, or the reason why there is no pose. Sends feedback after each "
    "image. A goal is rejected while the node is not active, and if `timeout_s` is not between 0 and 3600. Answers to "
    "several clients are sent 20 ms apart; see [requests for a pose](rescue.md#ask-for-a-pose).",
)
LOAD_MAP = Server(
    "~/load_map",
    LoadMap,
    "Replaces the map by a map in `map_roots`. The old map stays in use if the new map cannot be loaded.",
)
RESET = Server("~/reset", Trigger, "Forgets the previous images, so that the next image is searched in the whole map.")
REINITIALIZE = Server(
    "~/reinitialize_global_localization",
    EmptyService,
    "Searches the whole map, like `~/trigger`; AMCL has the same service.",
)

SUBSCRIBED = (
    IMAGE,
    COMPRESSED_IMAGE,
    CAMERA_INFO,
    LATCHED_CAMERA_INFO,
    HINT,
    TRIGGER,
    TF_IN,
    TF_STATIC,
    WATCHED_POSE,
    WATCHED_ODOMETRY,
)
PUBLISHED = (
    POSE,
    CAMERA_POSE,
    STATUS,
    SCENE_COORDINATES,
    DEBUG_IMAGE,
    MAP_POINTS,
    KEYFRAMES,
    TF_OUT,
    DIAGNOSTICS,
    RESCUE_POSE,
)
ACTIONS = (RELOCALIZE,)
SERVICES = (LOAD_MAP, RESET, REINITIALIZE)
