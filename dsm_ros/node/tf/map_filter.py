"""Kalman filter for map -> odom, which weighs each pose by its covariance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dsm_ros.geometry.pose import Pose44, invert, pose_error
from dsm_ros.geometry.pose_covariance import UncertainPose, difference, mean_pose
from dsm_ros.geometry.trajectory import NS_PER_S

MAX_MAHALANOBIS_SQUARED = 30.0  # exceeded by 4 in 100,000 errors of 6 dimensions
MIN_SPEED_MPS = 0.1  # also assumed for a robot at rest, which may be pushed without turning its wheels


@dataclass(frozen=True)
class Jump:
    """Distance and angle by which a pose moved map -> odom, at the located frame."""

    distance_m: float
    angle_deg: float


@dataclass(frozen=True)
class MapEstimate:
    """Estimate of the located frame b (base or camera) in the map, and the odometry at that time.

    pose: map_T_b with its covariance. stamp_ns: time of the odometry.
    """

    pose: UncertainPose
    odom_T_b: Pose44
    stamp_ns: int

    @property
    def map_T_odom(self) -> Pose44:
        """Transform map -> odom, computed from the estimate and the odometry."""
        return self.pose.a_T_b @ invert(self.odom_T_b)

    def predicted(self, odom_T_b: Pose44, stamp_ns: int, noise: float) -> UncertainPose:
        """Return map_T_b after a motion of the odometry.

        noise: standard deviation of the odometry's error after 1 m (m, and rad) and after 1 rad (rad). The variance
        grows in proportion to the motion, which is assumed to be at least MIN_SPEED_MPS.
        """
        before_T_b = invert(self.odom_T_b) @ odom_T_b
        moved = self.pose.of_frame(before_T_b)
        distance_m, angle_deg = pose_error(before_T_b, np.eye(4))
        distance_m = max(distance_m, MIN_SPEED_MPS * (stamp_ns - self.stamp_ns) / NS_PER_S)
        turned = distance_m + np.radians(angle_deg)
        return UncertainPose(moved.a_T_b, moved.covariance_66 + noise**2 * np.diag([distance_m] * 3 + [turned] * 3))

    def corrected(self, fix: UncertainPose, odom_T_b: Pose44, stamp_ns: int, noise: float) -> tuple[MapEstimate, Jump]:
        """Return the estimate after a new pose, and the resulting jump of map -> odom.

        The new pose replaces the estimate if noise is 0, or if the two contradict each other.
        """
        predicted = self.predicted(odom_T_b, stamp_ns, noise)
        pose = fused(predicted, fix) if noise else fix
        return MapEstimate(pose, odom_T_b, stamp_ns), Jump(*pose_error(pose.a_T_b, predicted.a_T_b))


def fused(predicted: UncertainPose, fix: UncertainPose) -> UncertainPose:
    """Return the Kalman update of a predicted pose by a measured pose, or the measured pose if the two contradict."""
    error_6 = difference(fix.a_T_b, predicted.a_T_b)
    # The pseudo-inverse leaves out directions without variance, those of a plane.
    weight_66 = np.linalg.pinv(predicted.covariance_66 + fix.covariance_66, rcond=1e-12, hermitian=True)
    if error_6 @ weight_66 @ error_6 > MAX_MAHALANOBIS_SQUARED:
        return fix
    return mean_pose(predicted, fix)
