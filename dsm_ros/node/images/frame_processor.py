"""Processor of images: localizes each image with the tracker, and reports the result."""

from __future__ import annotations

import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node
from std_msgs.msg import Header

from dsm_ros.errors import DsmError
from dsm_ros.geometry.pose import Pose44
from dsm_ros.geometry.pose_covariance import UncertainPose
from dsm_ros.localization.config import LocalizerConfig, TrackerConfig
from dsm_ros.localization.result import Localized, NotLocalized, Reason
from dsm_ros.localization.tracker import Hint, State, Tracker, is_jump
from dsm_ros.messages.pose import stamp_ns_of
from dsm_ros.node.images.frame_report import FaultCounts, FrameReport
from dsm_ros.node.images.image_preparer import PreparedImages
from dsm_ros.node.interface.fault_log import FaultLog
from dsm_ros.node.maps.loading import NO_MAP, Loaded
from dsm_ros.node.tf.base_frame import BaseFrame
from dsm_ros.node.tf.map_broadcaster import MapBroadcaster
from dsm_ros.node.tf.transforms import Transforms

DISORDER_S, DISORDER_FRAMES = 1.0, 3  # a larger delay, or more images in a row: the clock was set back

HintOf = Callable[[str, str], Hint | str]  # from map frame and camera frame, the hint or why it cannot be used


@dataclass(frozen=True)
class NodeContext:
    """Parts of the node that the processor uses, besides the map.

    odom_frame: empty without odometry. broadcaster: None if no transforms are sent. map_covariance_66: added to the
    covariance of each pose (m^2, rad^2). receivers: called in turn with the report of each image.
    """

    odom_frame: str
    base: BaseFrame
    transforms: Transforms
    broadcaster: MapBroadcaster | None
    map_covariance_66: NDArray[np.float64]
    receivers: Sequence[Callable[[FrameReport], None]]


class FrameProcessor:
    """Makes one report of each image or group of images that is processed, also without a pose.

    Images with an old or repeated timestamp are skipped, and give no report. Only the processor localizes.
    ``process`` runs in the second thread of the pipeline; any thread may call the other methods.
    """

    def __init__(self, node: Node, context: NodeContext):
        self.faults = FaultCounts()
        self._node, self._context = node, context
        self._log = FaultLog(node)
        self._loaded: Loaded | None = None
        self._tracker: Tracker | None = None
        self._hint_of: HintOf | None = None
        self._newest_ns = 0
        self._disorder = 0
        self._last_header = Header()
        self._lock = threading.Lock()
        self._actions: deque[Callable[[], None]] = deque()

    @property
    def loaded(self) -> Loaded | None:
        """Network and map in use; None before the first map is loaded."""
        return self._loaded

    def between_images(self, action: Callable[[], None]) -> None:
        """Run an action while no image is processed: at once if possible, else in the thread of ``process`` after it.

        Never waits. Actions run in order.
        """
        self._actions.append(action)
        self._run_actions()

    def reset(self) -> None:
        """Forget the previous images and the hint between two images."""
        self.between_images(self._reset)

    def hint(self, hint_of: HintOf) -> None:
        """Search around a hint, which is computed as soon as an image names the frame of the camera.

        hint_of: called in the thread of ``process``.
        """

        def keep() -> None:
            self._hint_of = hint_of

        self.between_images(keep)

    def use_config(self, config: LocalizerConfig) -> None:
        """Change the localizer's configuration between two images."""
        self.between_images(lambda: self._loaded.localizer.use_config(config) if self._loaded else None)

    def use_map(self, loaded: Loaded) -> None:
        """Localize in a map from the next image on; to be called between two images."""
        self._loaded, self._tracker, self._hint_of = loaded, Tracker(loaded.localizer), None
        if self._context.broadcaster:
            self._context.broadcaster.forget()

    def process(self, images: PreparedImages) -> None:
        """Localize one image of each camera and report the result."""
        self._run_actions()
        with self._lock:
            header = self._last_header = images.header
            if not stamp_ns_of(header.stamp):
                self.faults.count_missing_stamp()
                text = "images have no timestamp, so their time of arrival is used; set timestamps in the camera driver"
                self._log.warn("no timestamp", text)
                header.stamp = self._node.get_clock().now().to_msg()
            if self._in_order(stamp_ns_of(header.stamp)):
                report = self._safe_report(images)
                for receive in self._context.receivers:
                    receive(report)
        self._run_actions()

    def silence(self, silent_s: float, limit_s: float) -> FrameReport:
        """Return the report that images no longer arrive; the tracker is lost. To be called between two images."""
        detail = f"no image for {silent_s:.1f} s, limit {limit_s:.1f} s; check the image topic and its QoS"
        return self._failed(self._last_header, Reason.STALE_IMAGES, detail, time.monotonic())

    def _reset(self) -> None:
        self._hint_of = None
        if self._tracker:
            self._tracker.reset()

    def _run_actions(self) -> None:
        """Run the waiting actions now, or after the image that is being processed."""
        while self._actions and self._lock.acquire(blocking=False):
            try:
                if self._actions:  # another thread may have run the last one
                    self._actions.popleft()()
            finally:
                self._lock.release()

    def _in_order(self, stamp_ns: int) -> bool:
        """Return whether an image is newer than the last image, or shows that the clock was set back."""
        if self._newest_ns and stamp_ns == self._newest_ns:
            self.faults.count_repeated_stamp()
            text = "images with the same timestamp as the image before are skipped; check the camera driver"
            self._log.warn("repeated timestamp", text)
            return False
        late_s = (self._newest_ns - stamp_ns) / 1e9
        self._disorder = self._disorder + 1 if 0 < late_s < DISORDER_S else 0
        if 0 < self._disorder < DISORDER_FRAMES:
            self.faults.count_out_of_order()
            return False
        if self._newest_ns and is_jump(self._newest_ns, stamp_ns, TrackerConfig.max_pause_s):
            self.faults.count_time_jump()
        self._newest_ns = stamp_ns
        return True

    def _safe_report(self, images: PreparedImages) -> FrameReport:
        """Return the report of an image, also after an error that nobody foresaw."""
        header, received_s = images.header, images.received_s
        try:
            return self._report(images)
        except DsmError as error:  # the map was deleted or damaged while in use
            return self._failed(header, Reason.NO_MAP, str(error), received_s)
        except Exception as error:
            self._log.error(type(error).__name__, f"an image could not be processed\n{traceback.format_exc()}")
            return self._failed(header, Reason.INTERNAL_ERROR, f"{error!r}; the log has the traceback", received_s)

    def _report(self, images: PreparedImages) -> FrameReport:
        header, received_s = images.header, images.received_s
        if self._loaded is None or self._tracker is None:
            return self._failed(header, Reason.NO_MAP, NO_MAP, received_s)
        if isinstance(images.views, Exception):
            raise images.views
        views, unusable = images.views
        for missing in unusable.values():
            self.faults.count(missing.reason)
        left_out = tuple(missing.detail for missing in unusable.values())
        if not views:
            return self._failed(header, next(iter(unusable.values())).reason, "; ".join(left_out), received_s)
        for name, missing in unusable.items():
            self._log.warn((name, missing.reason), missing.detail)
        self._take_hint(self._tracker, self._loaded.map_frame, header.frame_id)
        result = self._tracker.track(views, stamp_ns_of(header.stamp), self._odom_T_camera(header))
        if isinstance(result, Localized):
            result = replace(result, covariance_66=result.covariance_66 + self._context.map_covariance_66)
        state, hint_report = self._tracker.state, self._tracker.hint_report
        report = FrameReport(
            header, result, state, received_s, views[0].image_HW3, hint_report=hint_report, left_out=left_out
        )
        return self._located(report, result, self._tracker) if isinstance(result, Localized) else report

    def _take_hint(self, tracker: Tracker, map_frame: str, camera_frame: str) -> None:
        hint_of, self._hint_of = self._hint_of, None
        if hint_of is None:
            return
        hint = hint_of(map_frame, camera_frame)
        if isinstance(hint, str):
            tracker.refuse_hint(hint)
        else:
            tracker.hint(hint)

    def _located(self, report: FrameReport, result: Localized, tracker: Tracker) -> FrameReport:
        """Return the report with the pose of the base, which is broadcast; without a pose if the base has none."""
        base, header = self._context.base, report.header
        pose = base.locate(UncertainPose(result.map_T_camera, result.covariance_66), header)
        if isinstance(pose, NotLocalized):
            tracker.reject()
            rejected = replace(pose, support=result.support, coordinates=result.coordinates, times_ms=result.times_ms)
            return replace(report, result=rejected, state=tracker.state)
        broadcaster = self._context.broadcaster
        if broadcaster is None or self._loaded is None:
            return replace(report, pose=pose)
        map_header = Header(stamp=header.stamp, frame_id=self._loaded.map_frame)
        problem = broadcaster.send(pose, map_header, base.base_frame or header.frame_id) or ""
        if problem:
            self._log.warn("transform", problem)
        return replace(report, pose=pose, tf_problem=problem, jump=None if problem else broadcaster.jump)

    def _odom_T_camera(self, header: Header) -> Pose44 | None:
        """Return the pose of the camera in the odometry frame, which may be slower than the camera; None if unknown."""
        odom_frame, stamp_ns = self._context.odom_frame, stamp_ns_of(header.stamp)
        if not odom_frame:
            return None
        return self._context.transforms.extrapolated(odom_frame, header.frame_id, stamp_ns)

    def _failed(self, header: Header, reason: Reason, detail: str, received_s: float) -> FrameReport:
        if self._tracker:
            self._tracker.lose()
        state = self._tracker.state if self._tracker else State.SEARCHING
        return FrameReport(header, NotLocalized(reason, detail), state, received_s)
