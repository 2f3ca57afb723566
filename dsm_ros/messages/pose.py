"""Stamps, poses and transforms of ROS messages, live or from a bag."""

from __future__ import annotations

from typing import Any

from dsm_ros.geometry.pose import Pose44, pose_from_quaternion


def stamp_ns_of(stamp: Any) -> int:
    """Return a stamp in ns."""
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def pose_from_msg(message: Any) -> Pose44:
    """Return the 4x4 pose of a PoseStamped, PoseWithCovarianceStamped or Odometry; ValueError for a bad quaternion."""
    pose = message.pose.pose if hasattr(message.pose, "pose") else message.pose
    p, q = pose.position, pose.orientation
    return pose_from_quaternion([p.x, p.y, p.z], [q.x, q.y, q.z, q.w])


def transform_from_msg(message: Any) -> Pose44:
    """Return the 4x4 parent_T_child of a TransformStamped; ValueError for a bad quaternion."""
    t, q = message.transform.translation, message.transform.rotation
    return pose_from_quaternion([t.x, t.y, t.z], [q.x, q.y, q.z, q.w])
