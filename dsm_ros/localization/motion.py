"""Prediction of a camera's pose, by odometry or, without odometry, by constant velocity [method 12]."""

from __future__ import annotations

from dataclasses import dataclass

from dsm_ros.geometry.pose import Pose44, interpolate, invert


@dataclass(frozen=True)
class Prediction:
    """A predicted pose, and the time for which it was extrapolated without odometry."""

    map_T_camera: Pose44
    extrapolated_s: float


@dataclass(frozen=True)
class Fix:
    """An accepted pose, and the pose of the camera in the odometry frame at the same stamp (None without odometry)."""

    stamp_ns: int
    map_T_camera: Pose44
    odom_T_camera: Pose44 | None = None


class Motion:
    """The last two accepted poses of one video, and predictions from them.

    max_gap_s: maximum time for which a pose is extrapolated, and between two poses that give a velocity.
    """

    def __init__(self, max_gap_s: float):
        self._max_gap_s = max_gap_s
        self._before: Fix | None = None
        self._last: Fix | None = None

    def add(self, fix: Fix) -> None:
        """Add the newest accepted pose."""
        self._before, self._last = self._last, fix

    def predict(self, stamp_ns: int, odom_T_camera: Pose44 | None = None) -> Prediction | None:
        """Return the predicted pose at a stamp, or None when the last pose is too old, or newer than the stamp.

        odom_T_camera: pose of the camera in the odometry frame at the stamp.
        """
        if self._last is None or not 0 <= stamp_ns - self._last.stamp_ns <= self._max_gap_s * 1e9:
            return None
        if odom_T_camera is not None and self._last.odom_T_camera is not None:
            return Prediction(self._last.map_T_camera @ invert(self._last.odom_T_camera) @ odom_T_camera, 0.0)
        return Prediction(self._by_velocity(stamp_ns, self._last), (stamp_ns - self._last.stamp_ns) / 1e9)

    def _by_velocity(self, stamp_ns: int, last: Fix) -> Pose44:
        step_ns = last.stamp_ns - self._before.stamp_ns if self._before else 0
        if self._before is None or not 0 < step_ns <= self._max_gap_s * 1e9:
            return last.map_T_camera
        return interpolate(self._before.map_T_camera, last.map_T_camera, (stamp_ns - self._before.stamp_ns) / step_ns)
