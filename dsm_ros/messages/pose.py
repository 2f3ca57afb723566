"""Conversion of stamp, pose and transform messages, live or recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from dsm_ros.geometry.pose import Pose44, pose_from_quaternion

MAX_POSITION_M = 1e9  # beyond the coordinates of any map on Earth


def stamp_ns_of(stamp: Any) -> int:
    """Return the stamp of a ROS header in ns."""
    return int(stamp.sec) * 1_000_000_000 + int(stamp.nanosec)


def pose_from_msg(message: Any) -> Pose44:
    """Return the 4x4 pose of a PoseStamped, PoseWithCovarianceStamped or Odometry.

    Raises ValueError for a lost pose.
    """
    pose = message.pose.pose if hasattr(message.pose, "pose") else message.pose
    return _pose(pose.position, pose.orientation)


def transform_from_msg(message: Any) -> Pose44:
    """Return the 4x4 parent_T_child of a TransformStamped. Raises ValueError for a lost pose."""
    return _pose(message.transform.translation, message.transform.rotation)


def pose_or_lost(read: Callable[[Any], Pose44], message: Any) -> Pose44 | None:
    """Return the pose that ``read`` extracts from a message, None for a lost pose.

    A pose is lost with NaN, infinity, a position beyond MAX_POSITION_M, or a zero quaternion.
    """
    try:
        return read(message)
    except ValueError:
        return None


def _pose(position: Any, orientation: Any) -> Pose44:
    translation_3 = [position.x, position.y, position.z]
    quaternion_4 = [orientation.x, orientation.y, orientation.z, orientation.w]
    if not np.isfinite(translation_3).all():
        raise ValueError("the pose is lost (its position is NaN or infinite)")
    if (largest_m := max(map(abs, translation_3))) > MAX_POSITION_M:
        raise ValueError(f"the pose is lost (a coordinate of its position is {largest_m:.3g} m)")
    if not np.isfinite(quaternion_4).all():
        raise ValueError("the pose is lost (its quaternion is NaN or infinite)")
    if not any(quaternion_4):
        raise ValueError("the pose is lost (its quaternion is zero)")
    return pose_from_quaternion(translation_3, quaternion_4)
