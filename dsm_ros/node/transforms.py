"""What the relocalizer says on /tf, and the static transforms it reads.

Without odometry: map -> base_frame (or the camera), stamped with the capture time of the image.
"""

from __future__ import annotations

from typing import Any

from rclpy.lifecycle import LifecycleNode
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage

from dsm_ros.geometry.pose import Pose44, invert
from dsm_ros.node.conversions import transform_from_msg, transform_to_msg

TF_QOS = QoSProfile(depth=100)
TF_STATIC_QOS = QoSProfile(
    depth=100, durability=DurabilityPolicy.TRANSIENT_LOCAL, reliability=ReliabilityPolicy.RELIABLE
)
MAX_CHAIN = 50


class StaticTransforms:
    """The tree of /tf_static as far as it has been heard."""

    def __init__(self, node: LifecycleNode):
        self._parents: dict[str, tuple[str, Pose44]] = {}
        self._subscription = node.create_subscription(TFMessage, "/tf_static", self.add, TF_STATIC_QOS)

    def add(self, message: Any) -> None:
        """Take up the transforms of a message."""
        for transform in message.transforms:
            self._parents[transform.child_frame_id] = (transform.header.frame_id, transform_from_msg(transform))

    def lookup(self, ancestor: str, frame: str) -> Pose44 | None:
        """Return ancestor_T_frame, or None when no static chain leads from the frame up to the ancestor."""
        pose: Pose44 | None = None
        for _ in range(MAX_CHAIN):
            if frame == ancestor:
                return pose
            if frame not in self._parents:
                return None
            frame, step = self._parents[frame]
            pose = step if pose is None else step @ pose
        return None

    def close(self, node: LifecycleNode) -> None:
        """Stop listening."""
        node.destroy_subscription(self._subscription)


class MapBroadcaster:
    """Sends map -> base_frame for accepted poses; silent while the camera's place on the base is unknown."""

    def __init__(self, node: LifecycleNode, base_frame: str):
        self._base_frame = base_frame
        self._publisher = node.create_publisher(TFMessage, "/tf", TF_QOS)
        self._static = StaticTransforms(node) if base_frame else None

    def send(self, map_T_camera: Pose44, header: Header, camera_frame: str) -> str | None:
        """Broadcast a pose (header: map frame, capture stamp); return why not when it cannot."""
        child, map_T_child = camera_frame, map_T_camera
        if self._static and self._base_frame != camera_frame:
            base_T_camera = self._static.lookup(self._base_frame, camera_frame)
            if base_T_camera is None:
                return f"no static transform from {self._base_frame} to {camera_frame} on /tf_static"
            child, map_T_child = self._base_frame, map_T_camera @ invert(base_T_camera)
        self._publisher.publish(TFMessage(transforms=[transform_to_msg(map_T_child, header, child)]))
        return None

    def close(self, node: LifecycleNode) -> None:
        """Stop sending and listening."""
        node.destroy_publisher(self._publisher)
        if self._static:
            self._static.close(node)
