"""Conversion between poses of the camera and of the robot's base."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from geometry_msgs.msg import PoseWithCovarianceStamped
from std_msgs.msg import Header

from dsm_ros.geometry.pose import Pose44, invert, make_pose
from dsm_ros.geometry.pose_covariance import UncertainPose, tilt_deg
from dsm_ros.geometry.trajectory import Missing
from dsm_ros.localization.result import NotLocalized, Reason
from dsm_ros.localization.tracker import Hint
from dsm_ros.messages.pose import pose_from_msg, stamp_ns_of
from dsm_ros.node.tf.transforms import Transforms

# Body frame (x forward, z up) at the camera, with x along the optical axis (REP 103), for robots without base_frame.
BODY_T_OPTICAL = make_pose([[0, 0, 1], [-1, 0, 0], [0, -1, 0]], [0, 0, 0])
SIGMAS, MAX_TILT_DEG = 3.0, 10.0
MAX_RADIUS_M = 1000.0  # a larger hint does not narrow the search


@dataclass(frozen=True)
class BaseFrame:
    """Robot frame that is located in the map.

    base_frame: empty for a robot without a base frame. timeout_s: maximum wait for the transform at an image's
    timestamp. plane_m: height of the base in two_d_mode, else None.
    """

    transforms: Transforms
    base_frame: str
    timeout_s: float
    plane_m: float | None = None

    def locate(self, camera: UncertainPose, header: Header) -> UncertainPose | NotLocalized:
        """Return the pose of the base, or of the camera without a base frame, or why the pose is not known.

        camera: map_T_camera. header: of the image, with the camera frame. Never call it in the executor's thread.
        """
        if not self.base_frame:
            return camera
        stamp_ns = stamp_ns_of(header.stamp)
        camera_T_base = self.transforms.wait(header.frame_id, self.base_frame, stamp_ns, self.timeout_s)
        if isinstance(camera_T_base, Missing):
            detail = f"the transform from {self.base_frame} to {header.frame_id} is missing: {camera_T_base.reason}"
            return NotLocalized(Reason.NO_TF, detail)
        base = camera.of_frame(camera_T_base)
        if self.plane_m is None:
            return base
        if (tilt := tilt_deg(base.a_T_b)) > MAX_TILT_DEG:
            detail = f"{self.base_frame} is tilted by {tilt:.1f} degrees, limit {MAX_TILT_DEG:g} degrees (two_d_mode)"
            return NotLocalized(Reason.NOT_LEVEL, detail)
        return base.in_plane(self.plane_m)

    def initialpose(self, report_pose: UncertainPose) -> UncertainPose:
        """Return the pose for another localizer; without a base frame, the pose of a body (x forward) at the camera."""
        return report_pose if self.base_frame else report_pose.of_frame(invert(BODY_T_OPTICAL))

    def hint(
        self, message: PoseWithCovarianceStamped, map_frame: str, camera_frame: str, min_radius_m: float
    ) -> Hint | str:
        """Return the hint that a pose of the base, in any TF frame, gives for the camera; or why it cannot be used.

        The radius of the hint is three standard deviations of the position, and at least ``min_radius_m``. Without
        base_frame the base is at the camera, with x forward and z up. Never call it in the executor's thread.
        """
        try:
            frame_T_base = pose_from_msg(message)
        except ValueError as error:
            return f"hint ignored: {error}"
        frame = message.header.frame_id or map_frame
        map_T_frame = np.eye(4) if frame == map_frame else self._newest(map_frame, frame)
        if isinstance(map_T_frame, Missing):
            return f"hint ignored: {map_T_frame.reason}"
        base_T_camera = self._newest(self.base_frame, camera_frame) if self.base_frame else BODY_T_OPTICAL
        if isinstance(base_T_camera, Missing):
            return f"hint ignored: {base_T_camera.reason}"
        variances_m2 = [float(message.pose.covariance[i]) for i in (0, 7, 14)]
        if any(map(math.isnan, variances_m2)):
            return "hint ignored: its covariance contains NaN"
        radius_m = min(SIGMAS * math.sqrt(max(0.0, *variances_m2)), MAX_RADIUS_M)
        return Hint(map_T_frame @ frame_T_base @ base_T_camera, max(min_radius_m, radius_m))

    def _newest(self, target: str, source: str) -> Pose44 | Missing:
        return self.transforms.wait(target, source, None, self.timeout_s)


def same_message(a: Any, b: Any) -> bool:
    """Return whether two pose messages have the same header and pose."""
    return b is not None and a.header == b.header and a.pose.pose == b.pose.pose
