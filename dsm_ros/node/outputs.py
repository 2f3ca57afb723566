"""Everything the relocalizer publishes for one answer; outputs without subscribers cost nothing."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from geometry_msgs.msg import PoseWithCovarianceStamped
from numpy.typing import NDArray
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import PointCloud2
from std_msgs.msg import Header

from dsm_ros.localization.result import Localized, NotLocalized, Result
from dsm_ros.msg import RelocalizationStatus
from dsm_ros.node.conversions import cloud_to_msg, points_to_msg, pose_to_msg
from dsm_ros.node.latest_image_worker import WorkerCounts

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL, reliability=ReliabilityPolicy.RELIABLE)
STATE_NAMES = {
    RelocalizationStatus.SEARCHING: "searching",
    RelocalizationStatus.TRACKING: "tracking",
    RelocalizationStatus.LOST: "lost",
}


@dataclass(frozen=True)
class Answer:
    """One processed image: when and where it was taken, and what the localizer said."""

    header: Header
    result: Result
    received_s: float


class Outputs:
    """The publishers, made when the node is configured and destroyed when it is cleaned up."""

    def __init__(self, node: LifecycleNode, map_frame: str):
        self._node, self._map_frame = node, map_frame
        self._pose = node.create_publisher(PoseWithCovarianceStamped, "~/pose", 10)
        self._status = node.create_publisher(RelocalizationStatus, "~/status", LATCHED)
        self._cloud = node.create_publisher(PointCloud2, "~/scene_coordinates", 1)
        self._map_points = node.create_publisher(PointCloud2, "~/map_points", LATCHED)
        self._diagnostics = node.create_publisher(DiagnosticArray, "/diagnostics", 10)
        self._last = RelocalizationStatus(state=RelocalizationStatus.SEARCHING)
        self._localized = 0

    def header(self, stamp: Any) -> Header:
        """Return a header in the map frame."""
        return Header(stamp=stamp, frame_id=self._map_frame)

    def publish_map(self, points_N3: NDArray[np.float64], colors_N3: NDArray[np.uint8]) -> None:
        """Publish the map's points, latched."""
        ones_1N = np.ones((1, len(points_N3)), np.float32)
        header = self.header(self._node.get_clock().now().to_msg())
        self._map_points.publish(points_to_msg(points_N3[None], colors_N3[None], ones_1N, header))

    def publish(self, answer: Answer, counts: WorkerCounts) -> None:
        """Publish pose (only an accepted one), dense cloud and status of one image."""
        header = self.header(answer.header.stamp)
        result = answer.result
        if isinstance(result, Localized):
            self._localized += 1
            self._pose.publish(pose_to_msg(result.map_T_camera, result.covariance_66, header))
        if result.coordinates is not None and self._cloud.get_subscription_count():
            self._cloud.publish(cloud_to_msg(result.coordinates, header))
        self._last = self._status_msg(answer, counts)
        self._status.publish(self._last)

    def _status_msg(self, answer: Answer, counts: WorkerCounts) -> RelocalizationStatus:
        result, support = answer.result, answer.result.support
        message = RelocalizationStatus(header=answer.header, inliers=support.inliers)
        message.inlier_ratio, message.confidence = float(support.inlier_ratio), float(support.confidence)
        message.keyframe_ids = list(support.keyframe_ids)
        for stage, ms in asdict(result.times_ms).items():
            setattr(message, f"{stage}_ms", float(ms))
        message.latency_ms = (time.monotonic() - answer.received_s) * 1e3
        message.frames_received, message.frames_dropped = counts.received, counts.dropped
        message.frames_failed, message.frames_localized = counts.failed, self._localized
        if isinstance(result, NotLocalized):
            message.reason, message.detail = str(result.reason), result.detail
            message.state = message.LOST if self._localized else message.SEARCHING
        else:
            message.state = message.TRACKING
        return message

    def publish_diagnostics(self, counts: WorkerCounts) -> None:
        """Publish the state and the counts since activation."""
        last = self._last
        level = DiagnosticStatus.OK if last.state == last.TRACKING else DiagnosticStatus.WARN
        text = STATE_NAMES[last.state] + (f": {last.detail}" if last.detail else "")
        values = {
            "frames received": counts.received,
            "frames dropped": counts.dropped,
            "frames failed": counts.failed,
            "frames localized": self._localized,
            "confidence": f"{last.confidence:.2f}",
            "latency ms": f"{last.latency_ms:.0f}",
        }
        status = DiagnosticStatus(level=level, name=f"{self._node.get_name()}: localization", message=text)
        status.values = [KeyValue(key=key, value=str(value)) for key, value in values.items()]
        header = Header(stamp=self._node.get_clock().now().to_msg())
        self._diagnostics.publish(DiagnosticArray(header=header, status=[status]))

    def close(self) -> None:
        """Destroy the publishers."""
        for publisher in (self._pose, self._status, self._cloud, self._map_points, self._diagnostics):
            self._node.destroy_publisher(publisher)
