"""Camera of the ROS benchmark, which sends one image at a time and waits for the status of this image."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, Image, PointCloud2
from std_msgs.msg import Header

from dsm_ros.datasets.frame import Frame
from dsm_ros.messages.pose import stamp_ns_of
from dsm_ros.msg import RelocalizationStatus
from dsm_ros.node.interface.conversions import camera_to_msg, image_to_msg, stamp_msg

ANSWER_TIMEOUT_S = 10.0
PAUSE_S = 0.02  # pause after which the node is idle again


@dataclass(frozen=True)
class Sample:
    """Times of one image in ms: the localizer alone, the rest of the node, and transport in both directions."""

    localizer_ms: float
    ros_ms: float
    transport_ms: float


class BenchCamera:
    """Publisher of images and subscriber of the relocalizer's statuses, which spins its own node while it waits."""

    def __init__(self, node: Node, executor: SingleThreadedExecutor):
        self._node, self._executor = node, executor
        self._image = node.create_publisher(Image, "image", qos_profile_sensor_data)
        self._info = node.create_publisher(CameraInfo, "camera_info", qos_profile_sensor_data)
        self._statuses: dict[int, tuple[float, RelocalizationStatus]] = {}
        self._clouds: set[int] | None = None
        node.create_subscription(RelocalizationStatus, "relocalizer/status", self._on_status, 10)

    def wait_for_node(self, timeout_s: float, is_running: Callable[[], bool]) -> bool:
        """Return whether the relocalizer subscribes to images before a timeout."""

        def decided() -> bool:
            return not is_running() or self._image.get_subscription_count() > 0

        return self._spin_until(decided, timeout_s) and is_running()

    def listen_to_cloud(self) -> None:
        """Subscribe to the dense cloud; later calls of ``ask`` also wait for the cloud of the image."""
        clouds = self._clouds = set()
        self._node.create_subscription(
            PointCloud2, "relocalizer/scene_coordinates", lambda cloud: clouds.add(stamp_ns_of(cloud.header.stamp)), 10
        )

    def ask(self, frame: Frame) -> Sample | None:
        """Send an image and return its times; None for a lost image, a lost status, or an image without a pose."""
        self._spin_until(lambda: False, PAUSE_S)
        stamp_ns = time.time_ns()
        header = Header(stamp=stamp_msg(stamp_ns), frame_id="camera")
        image = image_to_msg(frame.image_HW3, header)
        self._info.publish(camera_to_msg(frame.camera, header))
        sent_s = time.monotonic()
        self._image.publish(image)
        if not self._spin_until(lambda: self._is_answered(stamp_ns), ANSWER_TIMEOUT_S):
            return None
        answered_s, status = self._statuses[stamp_ns]
        if status.state != RelocalizationStatus.TRACKING:
            return None
        transport_ms = (answered_s - sent_s) * 1e3 - status.latency_ms
        return Sample(status.total_ms, status.latency_ms - status.total_ms, transport_ms)

    def _on_status(self, status: RelocalizationStatus) -> None:
        # The first status of a stamp belongs to the image; a later status with the same stamp reports missing images.
        self._statuses.setdefault(stamp_ns_of(status.header.stamp), (time.monotonic(), status))

    def _is_answered(self, stamp_ns: int) -> bool:
        return stamp_ns in self._statuses and (self._clouds is None or stamp_ns in self._clouds)

    def _spin_until(self, done: Callable[[], bool], timeout_s: float) -> bool:
        deadline_s = time.monotonic() + timeout_s
        while not done():
            left_s = deadline_s - time.monotonic()
            if left_s <= 0:
                return False
            self._executor.spin_once(timeout_sec=min(left_s, 0.1))
        return True


@contextmanager
def bench_camera() -> Iterator[BenchCamera]:
    """Yield a camera in a separate ROS context."""
    context = rclpy.Context()
    context.init()
    node = Node("bench_camera", context=context)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    try:
        yield BenchCamera(node, executor)
    finally:
        executor.shutdown()
        node.destroy_node()
        context.try_shutdown()
