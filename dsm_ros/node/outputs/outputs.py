"""Publishers of poses, statuses, clouds, the debug image and the map."""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

import numpy as np
from std_msgs.msg import Header

from dsm_ros.localization.result import Localized, Reason
from dsm_ros.localization.tracker import State
from dsm_ros.msg import RelocalizationStatus
from dsm_ros.node.display.debug_image import draw_debug_image
from dsm_ros.node.display.keyframe_markers import keyframe_markers
from dsm_ros.node.images.frame_report import FrameReport
from dsm_ros.node.interface import topics
from dsm_ros.node.interface.conversions import cloud_to_msg, image_to_msg, points_to_msg, pose_to_msg
from dsm_ros.node.interface.fault_log import FaultLog
from dsm_ros.node.interface.node_scope import NodeScope
from dsm_ros.node.maps.loading import KeyframeImages, Loaded
from dsm_ros.node.outputs.activity import Activity

STATES = {
    State.SEARCHING: RelocalizationStatus.SEARCHING,
    State.TRACKING: RelocalizationStatus.TRACKING,
    State.LOST: RelocalizationStatus.LOST,
}
FAULTS = (  # that somebody must mend, while other reasons may end by themselves
    Reason.NO_MAP,
    Reason.NO_CAMERA_INFO,
    Reason.UNREADABLE_IMAGE,
    Reason.STALE_IMAGES,
    Reason.NO_TF,
    Reason.NOT_LEVEL,
)


class Outputs:
    """Publishes until the scope is closed. Clouds and images without a subscriber are not computed.

    activity: counts what is published. map_frame: frame of the map in use; empty before the first map is loaded.
    """

    def __init__(self, scope: NodeScope, activity: Activity):
        self._node, self._log, self.map_frame = scope.node, FaultLog(scope.node), ""
        self._pose = scope.publisher(topics.POSE)
        self._camera_pose = scope.publisher(topics.CAMERA_POSE)
        self._status = scope.publisher(topics.STATUS)
        self._cloud = scope.publisher(topics.SCENE_COORDINATES)
        self._debug = scope.publisher(topics.DEBUG_IMAGE)
        self._map_points = scope.publisher(topics.MAP_POINTS)
        self._keyframes = scope.publisher(topics.KEYFRAMES)
        self._keyframe_images: KeyframeImages = lambda ids: []
        self._activity = activity

    def header(self, stamp: Any) -> Header:
        """Return a header in the map frame."""
        return Header(stamp=stamp, frame_id=self.map_frame)

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
        if report.pose:
            self._pose.publish(pose_to_msg(report.pose.a_T_b, report.pose.covariance_66, header))
        if isinstance(result, Localized) and self._camera_pose.get_subscription_count():
            self._camera_pose.publish(pose_to_msg(result.map_T_camera, result.covariance_66, header))
        if result.coordinates is not None and self._cloud.get_subscription_count():
            self._cloud.publish(cloud_to_msg(result.coordinates, header))
        self._log_report(report)
        self._activity.add(report)
        self._status.publish(self.describe(report))
        if report.image_HW3 is not None and self._debug.get_subscription_count():
            keyframes = self._keyframe_images(result.support.keyframe_ids)
            self._debug.publish(image_to_msg(draw_debug_image(report.image_HW3, result, keyframes), report.header))

    def _log_report(self, report: FrameReport) -> None:
        """Log each change of the state with its reason, and a fault that lasts once in a while."""
        last = self._activity.last
        is_change = last is None or last.state is not report.state
        if is_change and report.state is State.TRACKING:
            self._node.get_logger().info("tracking")
        elif is_change:
            self._log.warn_at_once(report.reason, report.state_text)
        elif report.reason in FAULTS and report.state is not State.TRACKING:
            self._log.warn(report.reason, report.detail)

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
        counts, rates = self._activity.counts, self._activity.rates
        message.frames_received, message.frames_dropped = counts.received, counts.dropped
        message.frames_failed, message.frames_localized = counts.failed, self._activity.localized
        message.image_rate_hz, message.pose_rate_hz = rates.images_hz, rates.poses_hz
        message.dropped_ratio = rates.dropped_ratio
        return message
