"""Everything the relocalizer publishes for one answer; outputs without subscribers cost nothing."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from geometry_msgs.msg import PoseWithCovarianceStamped
from numpy.typing import NDArray
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image, PointCloud2
from std_msgs.msg import Header
from visualization_msgs.msg import MarkerArray

from dsm_ros.localization.result import Localized, NotLocalized, Reason
from dsm_ros.localization.tracker import State
from dsm_ros.msg import RelocalizationStatus
from dsm_ros.node.conversions import cloud_to_msg, image_to_msg, points_to_msg, pose_to_msg
from dsm_ros.node.display.debug_image import draw_debug_image
from dsm_ros.node.display.keyframe_markers import keyframe_markers
from dsm_ros.node.images.frame_report import Answer, Faults
from dsm_ros.node.images.latest_image_worker import WorkerCounts

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL, reliability=ReliabilityPolicy.RELIABLE)
STATES = {
    State.SEARCHING: RelocalizationStatus.SEARCHING,
    State.TRACKING: RelocalizationStatus.TRACKING,
    State.LOST: RelocalizationStatus.LOST,
}
KeyframeImages = Callable[[tuple[int, ...]], list[NDArray[np.uint8]]]


class Outputs:
    """The publishers, made when the node is configured and destroyed when it is cleaned up."""

    def __init__(self, node: LifecycleNode):
        self._node, self.map_frame = node, ""
        self._pose = node.create_publisher(PoseWithCovarianceStamped, "~/pose", 10)
        self._status = node.create_publisher(RelocalizationStatus, "~/status", LATCHED)
        self._cloud = node.create_publisher(PointCloud2, "~/scene_coordinates", 1)
        self._debug = node.create_publisher(Image, "~/debug_image", 1)
        self._map_points = node.create_publisher(PointCloud2, "~/map_points", LATCHED)
        self._keyframes = node.create_publisher(MarkerArray, "~/keyframes", LATCHED)
        self._diagnostics = node.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self._keyframe_images: KeyframeImages = lambda ids: []
        self._last: Answer | None = None
        self._localized = 0

    def header(self, stamp: Any) -> Header:
        """Return a header in the map frame."""
        return Header(stamp=stamp, frame_id=self.map_frame)

    def show_map(
        self,
        map_frame: str,
        points_N3: NDArray[np.float64],
        colors_N3: NDArray[np.uint8],
        map_T_keyframes_N44: NDArray[np.float64],
        keyframe_images: KeyframeImages,
    ) -> None:
        """Publish a map's points and keyframes, latched; keyframe_images reads images by id for the debug image."""
        self.map_frame, self._keyframe_images = map_frame, keyframe_images
        header = self.header(self._node.get_clock().now().to_msg())
        ones_1N = np.ones((1, len(points_N3)), np.float32)
        self._map_points.publish(points_to_msg(points_N3[None], colors_N3[None], ones_1N, header))
        self._keyframes.publish(keyframe_markers(map_T_keyframes_N44, header))

    def publish(self, answer: Answer, counts: WorkerCounts) -> None:
        """Publish pose (only an accepted one), dense cloud, debug image and status of one image."""
        header, result = self.header(answer.header.stamp), answer.result
        if isinstance(result, Localized):
            self._localized += 1
            self._pose.publish(pose_to_msg(result.map_T_camera, result.covariance_66, header))
        if result.coordinates is not None and self._cloud.get_subscription_count():
            self._cloud.publish(cloud_to_msg(result.coordinates, header))
        self._log_change(answer)
        self._last = answer
        self._status.publish(self.describe(answer, counts))
        if answer.image_HW3 is not None and self._debug.get_subscription_count():
            keyframes = self._keyframe_images(result.support.keyframe_ids)
            self._debug.publish(image_to_msg(draw_debug_image(answer.image_HW3, result, keyframes), answer.header))

    def _log_change(self, answer: Answer) -> None:
        """Log each new state with its reason."""
        if self._last and self._last.state is answer.state:
            return
        if answer.state is State.TRACKING:
            self._node.get_logger().info("tracking")
        else:
            self._node.get_logger().warning(": ".join(filter(None, (answer.state, reason_of(answer)[1]))))

    def describe(self, answer: Answer, counts: WorkerCounts) -> RelocalizationStatus:
        """Return the status message of an answer."""
        result, support = answer.result, answer.result.support
        message = RelocalizationStatus(header=answer.header, state=STATES[answer.state], inliers=support.inliers)
        message.inlier_ratio, message.confidence = float(support.inlier_ratio), float(support.confidence)
        message.keyframe_ids = list(support.keyframe_ids)
        message.reason, message.detail = reason_of(answer)
        message.hint_report = answer.hint_report
        if answer.jump:
            message.jump_m, message.jump_deg = answer.jump.distance_m, answer.jump.angle_deg
        for stage, ms in asdict(result.times_ms).items():
            setattr(message, f"{stage}_ms", float(ms))
        message.latency_ms = (time.monotonic() - answer.received_s) * 1e3
        message.frames_received, message.frames_dropped = counts.received, counts.dropped
        message.frames_failed, message.frames_localized = counts.failed, self._localized
        return message

    def publish_diagnostics(self, counts: WorkerCounts, faults: Faults) -> None:
        """Publish the state and the counts since activation."""
        last = self._last
        level, text, confidence = DiagnosticStatus.WARN, "searching: no image yet", 0.0
        if last:
            level = DiagnosticStatus.OK if last.state is State.TRACKING else DiagnosticStatus.WARN
            text, confidence = ": ".join(filter(None, (last.state, reason_of(last)[1]))), last.result.support.confidence
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

    def close(self) -> None:
        """Destroy the publishers."""
        publishers = (self._pose, self._status, self._cloud, self._debug, self._map_points, self._keyframes)
        for publisher in (*publishers, self._diagnostics):
            self._node.destroy_publisher(publisher)


def reason_of(answer: Answer) -> tuple[str, str]:
    """Return what is wrong with an answer, machine readable and as a sentence; empty when nothing is."""
    if isinstance(answer.result, NotLocalized):
        return str(answer.result.reason), answer.result.detail
    return (str(Reason.NO_TF), answer.tf_problem) if answer.tf_problem else ("", "")
