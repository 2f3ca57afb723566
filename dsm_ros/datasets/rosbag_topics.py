"""Which topics of a bag are the camera, its depth and its pose."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from rosbags.interfaces import Connection

from dsm_ros.errors import SequenceError

IMAGE_TYPES = ("sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage")
INFO_TYPE = "sensor_msgs/msg/CameraInfo"
POSE_TYPES = (
    "geometry_msgs/msg/PoseStamped",
    "geometry_msgs/msg/PoseWithCovarianceStamped",
    "nav_msgs/msg/Odometry",
)
STATUS_TYPE = "dsm_ros/msg/RelocalizationStatus"
REQUESTS = ("initialpose", "goal_pose")  # what a localizer or a planner is told, by their usual names
TF_TYPE = "tf2_msgs/msg/TFMessage"
TRANSPORTS = ("compressed", "theora", "ffmpeg", "zstd")
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BagTopics:
    """The connections a sequence is read from; depth and pose may be missing.

    has_own_answers: a relocalizer was recorded, and its answers are in TF.
    """

    image: Connection
    info: Connection
    depth: Connection | None
    pose: Connection | None
    transforms: tuple[Connection, ...]
    has_own_answers: bool


def choose_topics(connections: Sequence[Connection], bag: str) -> BagTopics:
    """Return the topics of a bag by type and name. Raises SequenceError that lists what there is.

    A camera's image has a camera_info beside it; a picture that some node drew, such as a debug image, has none.
    What a relocalizer said is no ground truth, nor is a hint or a goal.
    """
    images = [c for c in connections if c.msgtype in IMAGE_TYPES]
    infos = [c for c in connections if c.msgtype == INFO_TYPE]
    beside_info = {_folder(c) for c in infos}
    depth = next((c for c in images if "depth" in c.topic), None)
    colours = [c for c in images if "depth" not in c.topic]
    colours.sort(key=lambda c: (_camera(c) not in beside_info, *_colour_rank(c)))
    if not colours:
        topics = ", ".join(sorted({c.topic for c in connections})) or "none"
        raise SequenceError(f"{bag} has no colour image topic; its topics: {topics}")
    image = colours[0]
    if others := sorted({c.topic for c in colours if _camera(c) in beside_info - {_camera(image)}}):
        _log.warning("%s holds several cameras: images are read from %s, not %s", bag, image.topic, ", ".join(others))
    info = max(infos, key=lambda c: _common_prefix(c.topic, image.topic), default=None)
    if info is None:
        raise SequenceError(f"{bag} has no CameraInfo; record the camera_info topic of {image.topic} too")
    relocalizers = {_folder(c) for c in connections if c.msgtype == STATUS_TYPE}
    own = [c for c in connections if _folder(c) in relocalizers or _folder(c).endswith("/relocalizer")]
    told = [c for c in connections if c not in own and c.topic.rpartition("/")[2] not in REQUESTS]
    pose = next((c for kind in POSE_TYPES for c in told if c.msgtype == kind), None)
    return BagTopics(image, info, depth, pose, tuple(c for c in connections if c.msgtype == TF_TYPE), bool(own))


def _folder(connection: Connection) -> str:
    """Return a topic's name without its last part: for those of a node, the node's."""
    return connection.topic.rpartition("/")[0]


def _camera(image: Connection) -> str:
    """Return the namespace that image and camera_info of one camera share; image_transport adds a name of its own."""
    base, _, last = image.topic.rpartition("/")
    return base.rpartition("/")[0] if last in TRANSPORTS else base


def _colour_rank(connection: Connection) -> tuple[bool, bool, str]:
    named = any(word in connection.topic for word in ("color", "colour", "rgb", "image_raw", "image_rect"))
    return (not named, connection.msgtype != IMAGE_TYPES[0], connection.topic)


def _common_prefix(one: str, other: str) -> int:
    same = 0
    for left, right in zip(one.split("/"), other.split("/"), strict=False):
        if left != right:
            break
        same += 1
    return same
