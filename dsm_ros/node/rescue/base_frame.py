"""Conversion between poses of the robot's base and of its camera, for hints and for initialpose."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from geometry_msgs.msg import PoseWithCovarianceStamped

from dsm_ros.geometry.pose import Pose44, invert, make_pose
from dsm_ros.geometry.trajectory import Missing
from dsm_ros.localization.tracker import Hint
from dsm_ros.messages.pose import pose_from_msg
from dsm_ros.node.tf.transforms import Transforms

# Body frame (x forward, z up) at the camera, with x along the optical axis (REP 103), for robots without base_frame.
BODY_T_OPTICAL = make_pose([[0, 0, 1], [-1, 0, 0], [0, -1, 0]], [0, 0, 0])
SIGMAS = 3.0


@dataclass(frozen=True)
class BaseFrame:
    """Robot frame whose poses other nodes send and expect.

    base_frame: empty for a robot without a base frame.
    """

    transforms: Transforms
    base_frame: str

    def base_T_camera(self, camera_frame: str) -> Pose44 | Missing:
        """Return base_T_camera; without base_frame the base is at the camera, with x forward and z up."""
        if not self.base_frame:
            return BODY_T_OPTICAL
        return self.transforms.lookup(self.base_frame, camera_frame, None)

    def hint(
        self, message: PoseWithCovarianceStamped, map_frame: str, camera_frame: str, min_radius_m: float
    ) -> Hint | str:
        """Return the hint that a pose of the base, in any TF frame, gives for the camera; or why it cannot be used.

        The radius of the hint is three standard deviations of the position, and at least ``min_radius_m``.
        """
        try:
            frame_T_base = pose_from_msg(message)
        except ValueError as error:
            return f"hint ignored: {error}"
        frame = message.header.frame_id or map_frame
        map_T_frame = np.eye(4) if frame == map_frame else self.transforms.lookup(map_frame, frame, None)
        if isinstance(map_T_frame, Missing):
            return f"hint ignored: {map_T_frame.reason}"
        base_T_camera = self.base_T_camera(camera_frame)
        if isinstance(base_T_camera, Missing):
            return f"hint ignored: {base_T_camera.reason}"
        largest = max(float(message.pose.covariance[i]) for i in (0, 7, 14))
        radius_m = max(min_radius_m, SIGMAS * math.sqrt(max(0.0, largest)) if math.isfinite(largest) else 0.0)
        return Hint(map_T_frame @ frame_T_base @ base_T_camera, radius_m)

    def map_T_base(self, map_T_camera: Pose44, camera_frame: str) -> Pose44 | Missing:
        """Return the pose of the base for a pose of the camera."""
        base_T_camera = self.base_T_camera(camera_frame)
        return base_T_camera if isinstance(base_T_camera, Missing) else map_T_camera @ invert(base_T_camera)


def same_message(a: Any, b: Any) -> bool:
    """Return whether two pose messages have the same header and pose."""
    return b is not None and a.header == b.header and a.pose.pose == b.pose.pose
