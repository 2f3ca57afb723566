"""The image input of an active node: subscriptions to its cameras, and a worker for the newest images."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Any

from rclpy.callback_groups import MutuallyExclusiveCallbackGroup
from rclpy.node import Node
from rclpy.qos import QoSProfile, qos_profile_sensor_data
from rclpy.subscription import Subscription
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from dsm_ros.node.images.cameras import Cameras
from dsm_ros.node.images.image_groups import ImageGroup, ImageGroups
from dsm_ros.node.images.latest_image_worker import LatestImageWorker, WorkerCounts
from dsm_ros.node.interruption import interruptible
from dsm_ros.node.parameters import NodeParameters
from dsm_ros.process import use_threads

IMAGE_QOS = QoSProfile(depth=1, reliability=qos_profile_sensor_data.reliability)


class ImageInput:
    """Listens from the moment it is made; ``process`` is called in the worker's thread.

    is_wanted: whether images are looked at now; others are let pass.
    """

    def __init__(
        self,
        node: Node,
        values: NodeParameters,
        cameras: Cameras,
        process: Callable[[ImageGroup], None],
        is_wanted: Callable[[], bool],
    ):
        self._node, self._cameras, self._is_wanted = node, cameras, is_wanted
        self.restart_silence()
        prepare = partial(use_threads, values.threads)
        self._worker = LatestImageWorker(interruptible(process, node.context), prepare)
        self._groups = ImageGroups(values.camera_names(), values.rig_slop_s)
        self._callbacks = MutuallyExclusiveCallbackGroup()
        transport = values.image_transport
        self._subscriptions = [s for name in values.camera_names() for s in self._subscribe(name, transport)]

    @property
    def counts(self) -> WorkerCounts:
        """What happened to the images so far."""
        return self._worker.counts

    def close(self) -> None:
        """Unsubscribe, then wait for the image in work."""
        for subscription in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._worker.stop()

    def restart_silence(self) -> None:
        """Count the time without images from now: silence that was asked for is no silence."""
        self._arrived_s, self._is_reported = time.monotonic(), False

    def new_silence_s(self, limit_s: float) -> float | None:
        """Return how long no image has come once that is over a limit; each silence is told once."""
        silent_s = time.monotonic() - self._arrived_s
        if self._is_reported or silent_s <= limit_s:
            return None
        self._is_reported = True
        return silent_s

    def _subscribe(self, name: str, transport: str) -> list[Subscription]:
        """Listen to a camera."""
        prefix = f"{name}/" if name else ""
        topic, kind = self._node.resolve_topic_name(f"{prefix}image"), Image
        if transport == "compressed":
            topic, kind = f"{topic}/compressed", CompressedImage  # as image_transport names it
        listen = partial(self._node.create_subscription, qos_profile=IMAGE_QOS, callback_group=self._callbacks)
        return [
            listen(CameraInfo, f"{prefix}camera_info", partial(self._cameras.take_camera_info, name)),
            listen(kind, topic, partial(self._on_image, name)),
        ]

    def _on_image(self, name: str, message: Any) -> None:
        if self._is_wanted():
            self.restart_silence()
            if group := self._groups.take(name, message):
                self._worker.put(group)
