"""One image at a time, or one of each camera: decoded, placed by odometry, tracked, published."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rclpy.node import Node
from std_msgs.msg import Header

from dsm_ros.errors import DsmError
from dsm_ros.geometry.pose import Pose44
from dsm_ros.geometry.trajectory import Missing
from dsm_ros.localization.config import TrackerConfig
from dsm_ros.localization.result import Localized, NotLocalized, Reason
from dsm_ros.localization.tracker import State, Tracker, is_jump
from dsm_ros.messages.pose import stamp_ns_of
from dsm_ros.node.images.cameras import Cameras
from dsm_ros.node.images.frame_report import Answer, Faults
from dsm_ros.node.images.image_groups import ImageGroup
from dsm_ros.node.tf.map_broadcaster import MapBroadcaster
from dsm_ros.node.tf.transforms import Transforms

WARNING_PERIOD_S = 5.0
DISORDER_S, DISORDER_FRAMES = 1.0, 3  # older than that, or that often in a row: the clock went back


@dataclass(frozen=True)
class Surroundings:
    """What an answer needs besides the image: who publishes it, and the frames around the camera."""

    map_frame: str
    odom_frame: str
    transforms: Transforms
    broadcaster: MapBroadcaster | None
    map_covariance_66: NDArray[np.float64]
    publish: Callable[[Answer], None]


class FrameProcessor:
    """Calls ``publish`` with one answer per image or group, whatever is wrong; process runs in the worker's thread."""

    def __init__(self, node: Node, tracker: Tracker | None, around: Surroundings, cameras: Cameras):
        self.faults = Faults()
        self._node, self._tracker, self._around, self._cameras = node, tracker, around, cameras
        self._newest_ns = 0
        self._disorder = 0
        self._last_header = Header()
        self._lock = threading.Lock()

    @property
    def camera_frame(self) -> str:
        """The frame of the last image, or of the rig; empty before the first image."""
        return str(self._last_header.frame_id)

    def use(self, change: Callable[[Tracker], None]) -> None:
        """Change the tracker between two images."""
        with self._lock:
            if self._tracker:
                change(self._tracker)

    def replace(self, tracker: Tracker, map_frame: str) -> None:
        """Localize in another map from the next image on."""
        with self._lock:
            self._tracker = tracker
            self._around = replace(self._around, map_frame=map_frame)
            if self._around.broadcaster:
                self._around.broadcaster.forget()

    def process(self, group: ImageGroup) -> None:
        """Answer one image of each camera."""
        messages = group.close()
        with self._lock:
            header = self._last_header = self._cameras.header(messages)
            if not stamp_ns_of(header.stamp):
                self.faults.without_stamp += 1
                self._warn("images have no stamp: the time of their arrival is taken; set it in the camera driver")
                header.stamp = self._node.get_clock().now().to_msg()
            if self._in_order(stamp_ns_of(header.stamp)):
                self._around.publish(self._answer(header, messages, group.received_s))

    def silence(self, silent_s: float, limit_s: float) -> Answer:
        """Return what is to be said when no images arrive."""
        with self._lock:
            if self._tracker:
                self._tracker.lose()
            detail = f"no image for {silent_s:.1f} s, limit {limit_s:.1f} s; check the image topic and its QoS"
            return self._failed(self._last_header, Reason.STALE_IMAGES, detail, time.monotonic())

    def _in_order(self, stamp_ns: int) -> bool:
        """Whether an image may be used: a late one is left out, unless time itself went back."""
        late_s = (self._newest_ns - stamp_ns) / 1e9
        self._disorder = self._disorder + 1 if 0 < late_s < DISORDER_S else 0
        if 0 < self._disorder < DISORDER_FRAMES:
            self.faults.out_of_order += 1
            return False
        if self._newest_ns and is_jump(self._newest_ns, stamp_ns, TrackerConfig.max_pause_s):
            self.faults.after_time_jump += 1
        self._newest_ns = stamp_ns
        return True

    def _answer(self, header: Header, messages: dict[str, Any], received_s: float) -> Answer:
        if self._tracker is None:
            detail = "no map is loaded; set the parameter map or call ~/load_map"
            return self._failed(header, Reason.NO_MAP, detail, received_s)
        views, unusable = self._cameras.views(messages, header.frame_id)
        for missing in unusable:
            self.faults.count(missing.reason)
            self._warn(missing.detail)
        if not views:
            return self._failed(header, unusable[0].reason, unusable[0].detail, received_s)
        try:
            result = self._tracker.track(views, stamp_ns_of(header.stamp), self._odom_T_camera(header))
        except DsmError as error:  # the map was deleted or damaged under the node
            return self._failed(header, Reason.NO_MAP, str(error), received_s)
        if isinstance(result, Localized):
            result = replace(result, covariance_66=result.covariance_66 + self._around.map_covariance_66)
        report, problem, jump = self._tracker.hint_report, "", None
        if isinstance(result, Localized) and (broadcaster := self._around.broadcaster):
            map_header = Header(stamp=header.stamp, frame_id=self._around.map_frame)
            problem = broadcaster.send(result.map_T_camera, map_header, header.frame_id) or ""
            jump = None if problem else broadcaster.jump
        return Answer(header, result, self._tracker.state, received_s, views[0].image_HW3, report, problem, jump)

    def _odom_T_camera(self, header: Header) -> Pose44 | None:
        """Where odometry sees the camera; without an answer right now, motion is predicted without it."""
        if not self._around.odom_frame:
            return None
        found = self._around.transforms.lookup(self._around.odom_frame, header.frame_id, stamp_ns_of(header.stamp))
        return None if isinstance(found, Missing) else found

    def _failed(self, header: Header, reason: Reason, detail: str, received_s: float) -> Answer:
        self._warn(detail)
        if self._tracker:
            self._tracker.lose()
        state = self._tracker.state if self._tracker else State.SEARCHING
        return Answer(header, NotLocalized(reason, detail), state, received_s)

    def _warn(self, text: str) -> None:
        if self._node.context.ok():  # else the log cannot be published
            self._node.get_logger().warning(text, throttle_duration_sec=WARNING_PERIOD_S)
