"""Publishers of poses, statuses, clouds, the debug image, the map and diagnostics."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from std_msgs.msg import Header

from dsm_ros.localization.result import Localized
from dsm_ros.localization.tracker import State
from dsm_ros.msg import RelocalizationStatus
from dsm_ros.node import interface
from dsm_ros.node.conversions import cloud_to_msg, image_to_msg, points_to_msg, pose_to_msg
from dsm_ros.node.display.debug_image import draw_debug_image
from dsm_ros.node.display.keyframe_markers import keyframe_markers
from dsm_ros.node.images.frame_report import FaultCounts, FrameReport
from dsm_ros.node.images.latest_image_worker import WorkerCounts
from dsm_ros.node.loading import KeyframeImages, Loaded
from dsm_ros.node.node_scope import NodeScope

STATES = {
    State.SEARCHING: RelocalizationStatus.SEARCHING,
    State.TRACKING: RelocalizationStatus.TRACKING,
    State.LOST: RelocalizationStatus.LOST,
}


class Outputs:
    """Publishes until the scope is closed. Clouds and images without a subscriber are not computed.

    map_frame: frame of the map in use; empty before the first map is loaded.
    """

    def __init__(self, scope: NodeScope):
        self._node, self.map_frame = scope.node, ""
        self._pose = scope.publisher(interface.POSE)
        self._status = scope.publisher(interface.STATUS)
        self._cloud = scope.publisher(interface.SCENE_COORDINATES)
        self._debug = scope.publisher(interface.DEBUG_IMAGE)
        self._map_points = scope.publisher(interface.MAP_POINTS)
        self._keyframes = scope.publisher(interface.KEYFRAMES)
        self._diagnostics = scope.publisher(interface.DIAGNOSTICS)
        self._keyframe_images: KeyframeImages = lambda ids: []
        self._last: FrameReport | None = None
        self._counts, self._localized = WorkerCounts(), 0

    def header(self, stamp: Any) -> Header:
        """Return a header in the map frame."""
        return Header(stamp=stamp, frame_id=self.map_frame)

    def start_counting(self) -> WorkerCounts:
        """Return new image counts for a worker; status and diagnostics report these counts from now on."""
        self._counts = WorkerCounts()
        return self._counts

    def show_map(self, loaded: Loaded) -> None:
        """Publish the points and the keyframes of a map, latched."""
        self.map_frame, self._keyframe_images = loaded.map_frame, loaded.keyframe_images
        header = self.header(self._node.get_clock().now().to_msg())
        ones_1N = np.ones((1, len(loaded.points_N3)), np.float32)
        self._map_points.publish(points_to_msg(loaded.points_N3[None], loaded.colors_N3[None], ones_1N, header))
        self._keyframes.publish(keyframe_markers(loaded.map_T_keyframes_N44, header))

    def publish(self, report: FrameReport) -> None:
        """Publish pose (if accepted), scene coordinates, debug image and status; nothing after a shutdown of ROS."""
        if not self._node.context.ok():
            return
        header, result = self.header(report.header.stamp), report.result
        if isinstance(result, Localized):
            self._localized += 1
            self._pose.publish(pose_to_msg(result.map_T_camera, result.covariance_66, header))
        if result.coordinates is not None and self._cloud.get_subscription_count():
            self._cloud.publish(cloud_to_msg(result.coordinates, header))
        self._log_change(report)
        self._last = report
        self._status.publish(self.describe(report))
        if report.image_HW3 is not None and self._debug.get_subscription_count():
            keyframes = self._keyframe_images(result.support.keyframe_ids)
            self._debug.publish(image_to_msg(draw_debug_image(report.image_HW3, result, keyframes), report.header))

    def _log_change(self, report: FrameReport) -> None:
        """Log each change of the state with its reason."""
        if self._last and self._last.state is report.state:
            return
        if report.state is State.TRACKING:
            self._node.get_logger().info("tracking")
        else:
            self._node.get_logger().warning(state_text(report))

    def describe(self, report: FrameReport) -> RelocalizationStatus:
        """Return the status message of an image."""
        result, support = report.result, report.result.support
        message = RelocalizationStatus(header=report.header, state=STATES[report.state], inliers=support.inliers)
        message.inlier_ratio, message.confidence = float(support.inlier_ratio), float(support.confidence)
        message.keyframe_ids = list(support.keyframe_ids)
        message.reason, message.detail, message.hint_report = report.reason, report.detail, report.hint_report
        if report.jump:
            message.jump_m, message.jump_deg = report.jump.distance_m, report.jump.angle_deg
        for stage, ms in asdict(result.times_ms).items():
            setattr(message, f"{stage}_ms", float(ms))
        message.latency_ms = (time.monotonic() - report.received_s) * 1e3
        counts = self._counts
        message.frames_received, message.frames_dropped = counts.received, counts.dropped
        message.frames_failed, message.frames_localized = counts.failed, self._localized
        return message

    def publish_diagnostics(self, faults: FaultCounts) -> None:
        """Publish the last state and the counts of images."""
        last, counts = self._last, self._counts
        level, text, confidence = DiagnosticStatus.WARN, "searching: no image yet", 0.0
        if last:
            level = DiagnosticStatus.OK if last.state is State.TRACKING else DiagnosticStatus.WARN
            text, confidence = state_text(last), last.result.support.confidence
        values = {
            "frames received": counts.received,
            "frames dropped": counts.dropped,
            "frames failed": counts.failed,
            "frames localized": self._localized,
            **{f"images {name.replace('_', ' ')}": count for name, count in asdict(faults).items()},
            "confidence": f"{confidence:.2f}",
        }
        status = DiagnosticStatus(level=level, name=f"{self._node.get_name()}: localization", message=text)
        status.values = [KeyValue(key=key, value=str(value)) for key, value in values.items()]
        header = Header(stamp=self._node.get_clock().now().to_msg())
        self._diagnostics.publish(DiagnosticArray(header=header, status=[status]))


def state_text(report: FrameReport) -> str:
    """Return the state after an image, followed by the reason if there is one."""
    return f"{report.state}: {report.detail}" if report.detail else str(report.state)
