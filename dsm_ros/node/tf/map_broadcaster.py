"""Broadcaster of map -> odom on /tf (REP 105), or of map -> base without odometry."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, replace

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.duration import Duration
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage

from dsm_ros.geometry.pose import Pose44, interpolate, invert, pose_error
from dsm_ros.geometry.trajectory import NS_PER_S, Missing
from dsm_ros.messages.pose import stamp_ns_of
from dsm_ros.node.conversions import transform_to_msg
from dsm_ros.node.interface import TF_OUT
from dsm_ros.node.node_scope import NodeScope
from dsm_ros.node.tf.transforms import Transforms, on_time_jump

RESEND_PERIOD_S = 0.05
SMOOTHING_LIMIT_DEG = 10.0


@dataclass(frozen=True)
class BroadcastSettings:
    """Which transform is sent, and how.

    odom_frame: empty to send map -> base_frame, or map -> camera when that is empty too. tolerance_s: how far ahead
    map -> odom is stamped. timeout_s: longest wait for a transform. smoothing_s: time constant of map -> odom, 0 for
    none; a jump of the camera beyond smoothing_limit_m or 10 degrees is taken at once.
    """

    base_frame: str = ""
    odom_frame: str = ""
    tolerance_s: float = 0.1
    timeout_s: float = 0.2
    smoothing_s: float = 0.0
    smoothing_limit_m: float = 0.5


@dataclass(frozen=True)
class Jump:
    """Distance and angle by which a pose moved map -> odom, at the camera."""

    distance_m: float
    angle_deg: float


@dataclass(frozen=True)
class _Correction:
    """The newest fix: the map_T_odom that follows from it, the one that is sent, and the camera at the fix."""

    map_frame: str
    goal_T_odom: Pose44
    shown_T_odom: Pose44
    odom_T_camera: Pose44

    def jump_to(self, map_T_camera: Pose44, odom_T_camera: Pose44) -> Jump:
        return Jump(*pose_error(map_T_camera, self.goal_T_odom @ odom_T_camera))

    def blended(self, fraction: float) -> _Correction:
        """Return the correction moved by a fraction towards the goal; the camera moves in a straight line."""
        if fraction == 1.0:
            return replace(self, shown_T_odom=self.goal_T_odom)
        camera_shown, camera_goal = self.shown_T_odom @ self.odom_T_camera, self.goal_T_odom @ self.odom_T_camera
        camera_now = interpolate(camera_shown, camera_goal, fraction)
        return replace(self, shown_T_odom=camera_now @ invert(self.odom_T_camera))


class MapBroadcaster:
    """Broadcasts the transform that follows from each accepted pose, until the scope is closed.

    jump: size of the last change of map -> odom, at the camera; None before the second pose.
    """

    def __init__(self, scope: NodeScope, transforms: Transforms, settings: BroadcastSettings):
        self.jump: Jump | None = None
        self._node, self._transforms, self._settings = scope.node, transforms, settings
        self._correction: _Correction | None = None
        self._shown_ns = 0
        self._lock = threading.Lock()
        self._publisher = scope.publisher(TF_OUT)
        on_time_jump(scope, self.forget)
        if settings.odom_frame:
            scope.timer(RESEND_PERIOD_S, self._resend, MutuallyExclusiveCallbackGroup())
        scope.on_close(self.forget)  # first, because the timer may run in another thread

    def send(self, map_T_camera: Pose44, header: Header, camera_frame: str) -> str | None:
        """Broadcast an accepted pose (header: map frame, capture time); return the reason if that is impossible.

        Waits up to timeout_s for a transform. Never call it in the executor's thread.
        """
        child = self._settings.odom_frame or self._settings.base_frame or camera_frame
        if problem := self._problem_with(header.frame_id, child):
            return problem
        stamp_ns = stamp_ns_of(header.stamp)
        child_T_camera = self._transforms.wait(child, camera_frame, stamp_ns, self._settings.timeout_s)
        if isinstance(child_T_camera, Missing):
            missing = f"the transform from {camera_frame} to {child} is missing: {child_T_camera.reason}"
            return f"{header.frame_id} -> {child} is not sent: {missing}"
        if self._settings.odom_frame:
            self._correct(header.frame_id, map_T_camera, child_T_camera)
        else:
            self._publish(map_T_camera @ invert(child_T_camera), header, child)
        return None

    def use(self, settings: BroadcastSettings) -> None:
        """Change tolerance, timeout and smoothing. The frames must stay the same."""
        with self._lock:
            self._settings = settings

    def forget(self) -> None:
        """Broadcast nothing until the next accepted pose, after a jump of the clock, a new map or a deactivation."""
        with self._lock:
            self._correction = self.jump = None

    def _problem_with(self, map_frame: str, child: str) -> str | None:
        if child in ("", map_frame):
            return f"'{child}' cannot be a child frame of {map_frame}; set base_frame or the frame_id of the images"
        if other := self._transforms.other_parent(child):
            advice = "stop one of the two" if child == self._settings.odom_frame else "set odom_frame or base_frame"
            return f"{map_frame} -> {child} is not sent: {child} already has the parent {other}; {advice}"
        if child == self._settings.odom_frame and self._node.get_clock().now().nanoseconds == 0:
            return f"{map_frame} -> {child} is not sent: use_sim_time is set, but nothing arrives on /clock"
        return None

    def _correct(self, map_frame: str, map_T_camera: Pose44, odom_T_camera: Pose44) -> None:
        map_T_odom = map_T_camera @ invert(odom_T_camera)
        with self._lock:
            last = self._correction
            self.jump = last.jump_to(map_T_camera, odom_T_camera) if last else None
            shown = last.shown_T_odom if last and self._is_small(self.jump) else map_T_odom
            self._correction = _Correction(map_frame, map_T_odom, shown, odom_T_camera)

    def _is_small(self, jump: Jump | None) -> bool:
        limit_m = self._settings.smoothing_limit_m
        return jump is not None and jump.distance_m <= limit_m and jump.angle_deg <= SMOOTHING_LIMIT_DEG

    def _resend(self) -> None:
        """Send map -> odom once more, stamped ahead: it holds until the next fix."""
        odom_frame, now = self._settings.odom_frame, self._node.get_clock().now()
        if self._correction is None:
            return
        if self._transforms.other_parent(odom_frame):
            self.forget()
            return
        with self._lock:
            if self._correction is None:
                return
            correction = self._correction = self._correction.blended(self._fraction(now.nanoseconds))
            stamp = (now + Duration(seconds=self._settings.tolerance_s)).to_msg()
            self._publish(correction.shown_T_odom, Header(stamp=stamp, frame_id=correction.map_frame), odom_frame)

    def _fraction(self, now_ns: int) -> float:
        """Return the part of the remaining correction that is due since the last call."""
        passed_s, self._shown_ns = (now_ns - self._shown_ns) / NS_PER_S, now_ns
        if self._settings.smoothing_s == 0 or passed_s < 0:
            return 1.0
        return -math.expm1(-passed_s / self._settings.smoothing_s)

    def _publish(self, parent_T_child: Pose44, header: Header, child: str) -> None:
        transform = transform_to_msg(parent_T_child, header, child)
        self._transforms.announce(transform)
        self._publisher.publish(TFMessage(transforms=[transform]))
