"""Broadcaster of map -> odom on /tf (REP 105), or of map -> base without odometry."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from rclpy.duration import Duration
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage

from dsm_ros.geometry.pose import Pose44, invert
from dsm_ros.geometry.pose_covariance import UncertainPose, level
from dsm_ros.geometry.trajectory import Missing
from dsm_ros.messages.pose import stamp_ns_of
from dsm_ros.node.interface.conversions import transform_to_msg
from dsm_ros.node.interface.node_scope import NO_CLOCK, NodeScope, has_time
from dsm_ros.node.interface.topics import TF_OUT
from dsm_ros.node.tf.map_filter import Jump, MapEstimate
from dsm_ros.node.tf.transforms import Transforms, on_time_jump

RESEND_PERIOD_S = 0.05


@dataclass(frozen=True)
class BroadcastSettings:
    """Frames and timing of the broadcast transform.

    odom_frame: empty to send map -> base_frame, or map -> camera if base_frame is empty too. tolerance_s: how far ahead
    map -> odom is stamped. timeout_s: longest wait for a transform. odom_noise: noise of MapEstimate, 0 without a
    filter. in_plane: whether map -> odom is a motion in the plane.
    """

    base_frame: str
    odom_frame: str
    tolerance_s: float
    timeout_s: float
    odom_noise: float
    in_plane: bool


class MapBroadcaster:
    """Broadcasts the transform that follows from each accepted pose, until the scope is closed.

    jump: size of the last change of map -> odom, at the located frame; None before the second pose.
    """

    def __init__(self, scope: NodeScope, transforms: Transforms, settings: BroadcastSettings):
        self.jump: Jump | None = None
        self._node, self._transforms, self._settings = scope.node, transforms, settings
        self._estimate: MapEstimate | None = None
        self._map_frame = ""
        self._lock = threading.Lock()
        self._publisher = scope.publisher(TF_OUT)
        on_time_jump(scope, self.forget)
        if settings.odom_frame:
            scope.timer(RESEND_PERIOD_S, self._resend)
        scope.on_close(self.forget)  # first, because the timer may run in another thread

    def send(self, pose: UncertainPose, header: Header, frame: str) -> str | None:
        """Broadcast the accepted pose of a frame (base or camera); return the reason if that is impossible.

        pose: map_T_frame. header: map frame, capture time. Waits up to timeout_s for a transform. Never call it in the
        executor's thread.
        """
        child = self._settings.odom_frame or self._settings.base_frame or frame
        if problem := self._problem_with(header.frame_id, child):
            return problem
        stamp_ns = stamp_ns_of(header.stamp)
        child_T_frame = self._transforms.wait(child, frame, stamp_ns, self._settings.timeout_s)
        if isinstance(child_T_frame, Missing):
            missing = f"the transform from {frame} to {child} is missing: {child_T_frame.reason}"
            return f"{header.frame_id} -> {child} is not sent: {missing}"
        if self._settings.odom_frame:
            self._correct(header, pose, child_T_frame)
        else:
            self._publish(pose.a_T_b @ invert(child_T_frame), header, child)
        return None

    def use(self, settings: BroadcastSettings) -> None:
        """Change tolerance, timeout and noise. The frames must stay the same."""
        with self._lock:
            self._settings = settings

    def forget(self) -> None:
        """Stop broadcasting until the next accepted pose: after a clock jump, a new map or a deactivation."""
        with self._lock:
            self._estimate = self.jump = None

    def _problem_with(self, map_frame: str, child: str) -> str | None:
        if child in ("", map_frame):
            return f"'{child}' cannot be a child frame of {map_frame}; set base_frame or the frame_id of the images"
        if other := self._transforms.other_parent(child):
            advice = "stop one of the two" if child == self._settings.odom_frame else "set odom_frame or base_frame"
            return f"{map_frame} -> {child} is not sent: {child} already has the parent {other}; {advice}"
        if child == self._settings.odom_frame and not has_time(self._node):
            return f"{map_frame} -> {child} is not sent: {NO_CLOCK}"
        return None

    def _correct(self, header: Header, pose: UncertainPose, odom_T_frame: Pose44) -> None:
        settings, stamp_ns = self._settings, stamp_ns_of(header.stamp)
        if settings.in_plane:
            odom_T_frame = level(odom_T_frame, 0.0)
        with self._lock:
            self._map_frame, last = header.frame_id, self._estimate
            if last:
                self._estimate, self.jump = last.corrected(pose, odom_T_frame, stamp_ns, settings.odom_noise)
            else:
                self._estimate = MapEstimate(pose, odom_T_frame, stamp_ns)

    def _resend(self) -> None:
        """Send the last map -> odom again with a later timestamp, because it is valid until the next accepted pose."""
        odom_frame, now = self._settings.odom_frame, self._node.get_clock().now()
        if self._estimate is None:
            return
        if self._transforms.other_parent(odom_frame):
            self.forget()
            return
        with self._lock:
            if self._estimate:
                stamp = (now + Duration(seconds=self._settings.tolerance_s)).to_msg()
                header = Header(stamp=stamp, frame_id=self._map_frame)
                self._publish(self._estimate.map_T_odom, header, odom_frame)

    def _publish(self, parent_T_child: Pose44, header: Header, child: str) -> None:
        transform = transform_to_msg(parent_T_child, header, child)
        self._transforms.announce(transform)
        self._publisher.publish(TFMessage(transforms=[transform]))
