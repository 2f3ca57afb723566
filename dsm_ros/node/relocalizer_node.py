"""The lifecycle node ``relocalizer``: images in; pose, status, transform and dense cloud out."""

from __future__ import annotations

import logging
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
import rclpy
from numpy.typing import NDArray
from rclpy.executors import ExternalShutdownException
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.qos import QoSProfile, qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from dsm_ros.geometry.camera import Camera
from dsm_ros.localization.result import Localized, Result
from dsm_ros.node import parameters
from dsm_ros.node.conversions import camera_from_msg, image_from_msg, stamp_ns_of
from dsm_ros.node.latest_image_worker import LatestImageWorker
from dsm_ros.node.log_forwarding import RosLogHandler
from dsm_ros.node.outputs import Answer, Outputs
from dsm_ros.node.transforms import MapBroadcaster
from dsm_ros.process import prepare_process, use_threads

IMAGE_QOS = QoSProfile(depth=1, reliability=qos_profile_sensor_data.reliability)
DIAGNOSTICS_PERIOD_S = 1.0
WARNING_PERIOD_S = 5.0
CANNOT_START = 2


class ImageLocalizer(Protocol):
    """What the node needs of a localizer."""

    def localize(self, image_HW3: NDArray[np.uint8], camera: Camera, stamp_ns: int) -> Result: ...


@dataclass(frozen=True)
class Loaded:
    """A localizer and what of its map is shown."""

    localizer: ImageLocalizer
    map_frame: str
    points_N3: NDArray[np.float64]
    colors_N3: NDArray[np.uint8]


def load(values: parameters.NodeParameters) -> Loaded:
    """Load network and map as the parameters say. Raises DsmError when either cannot be used."""
    from pathlib import Path

    from dsm_ros.localization.localizer import Localizer
    from dsm_ros.network.checkpoint import load_network
    from dsm_ros.scene_map.scene_map import SceneMap

    use_threads(1)  # all others are for the worker
    network = load_network(Path(values.model) if values.model else None, values.device)
    scene_map = SceneMap.open(values.map, network.model_hash)
    localizer = Localizer(scene_map, network, values.localizer_config())
    return Loaded(localizer, scene_map.frame_name, *scene_map.points(values.map_points))


Callback = Callable[["RelocalizerNode", LifecycleState], TransitionCallbackReturn]


def logged(callback: Callback) -> Callback:
    """Log what a lifecycle callback raises: rclpy turns it into ERROR without a word."""

    def wrapper(self: RelocalizerNode, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            return callback(self, state)
        except Exception as error:
            self.get_logger().error(f"{callback.__name__}: {error}")
            self.get_logger().debug(traceback.format_exc())
            return TransitionCallbackReturn.FAILURE

    return wrapper


class RelocalizerNode(LifecycleNode):
    """Configure loads, activate subscribes, and the rest undoes it in reverse."""

    def __init__(self, loader: Callable[[parameters.NodeParameters], Loaded] = load):
        super().__init__("relocalizer")
        self._loader = loader
        self._localizer: ImageLocalizer | None = None
        self._outputs: Outputs | None = None
        self._broadcaster: MapBroadcaster | None = None
        self._worker: LatestImageWorker[tuple[Any, float]] | None = None
        self._camera: Camera | None = None
        parameters.declare(self)
        self._log_handler = RosLogHandler(self.get_logger())
        logging.getLogger("dsm_ros").addHandler(self._log_handler)

    @logged
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the network and the map, create the outputs."""
        self._parameters = parameters.read(self)
        loaded = self._loader(self._parameters)
        self._localizer = loaded.localizer
        self._camera = None
        self._outputs = Outputs(self, loaded.map_frame)
        self._broadcaster = MapBroadcaster(self, self._parameters.base_frame) if self._parameters.publish_tf else None
        self._outputs.publish_map(loaded.points_N3, loaded.colors_N3)
        self.get_logger().info(f"map {self._parameters.map} is loaded")
        return TransitionCallbackReturn.SUCCESS

    @logged
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Start the worker, then subscribe."""
        self._worker = LatestImageWorker(self._process, partial(use_threads, self._parameters.threads))
        compressed = self._parameters.image_transport == "compressed"
        kind, topic = (CompressedImage, "image/compressed") if compressed else (Image, "image")
        self._inputs = [
            self.create_subscription(CameraInfo, "camera_info", self._on_camera_info, IMAGE_QOS),
            self.create_subscription(kind, topic, self._on_image, IMAGE_QOS),
        ]
        self._timer = self.create_timer(DIAGNOSTICS_PERIOD_S, self._on_timer)
        return super().on_activate(state)

    @logged
    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Unsubscribe, then stop the worker."""
        self._stop_listening()
        return super().on_deactivate(state)

    @logged
    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Let go of outputs, map and network."""
        self._release()
        return TransitionCallbackReturn.SUCCESS

    @logged
    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Undo whatever has been done."""
        self.release_all()
        return TransitionCallbackReturn.SUCCESS

    def release_all(self) -> None:
        """Stop listening and let go of everything, in whatever state the node is."""
        self._stop_listening()
        self._release()

    def _stop_listening(self) -> None:
        if self._worker is None:
            return
        self.destroy_timer(self._timer)
        for subscription in self._inputs:
            self.destroy_subscription(subscription)
        self._worker.stop()
        self._worker = None

    def _release(self) -> None:
        if self._broadcaster:
            self._broadcaster.close(self)
        if self._outputs:
            self._outputs.close()
        self._broadcaster = self._outputs = self._localizer = None

    def destroy_node(self) -> None:
        """Forget the log handler with the node."""
        logging.getLogger("dsm_ros").removeHandler(self._log_handler)
        super().destroy_node()

    def _on_camera_info(self, message: CameraInfo) -> None:
        try:
            self._camera = camera_from_msg(message)
        except ValueError as error:
            self._camera = None
            self._warn(f"camera_info cannot be used: {error}")

    def _on_image(self, message: Any) -> None:
        if self._worker:
            self._worker.put((message, time.monotonic()))

    def _on_timer(self) -> None:
        if self._outputs and self._worker:
            self._outputs.publish_diagnostics(self._worker.counts)

    def _process(self, item: tuple[Any, float]) -> None:
        """Localize one image; runs in the worker's thread."""
        message, received_s = item
        if self._camera is None:
            self._warn("images arrive but no usable camera_info; check its topic")
        if self._camera is None or not (self._localizer and self._outputs and self._worker):
            return
        image_HW3 = image_from_msg(message)
        result = self._localizer.localize(image_HW3, self._camera, stamp_ns_of(message.header.stamp))
        self._outputs.publish(Answer(message.header, result, received_s), self._worker.counts)
        if self._broadcaster and isinstance(result, Localized):
            header = self._outputs.header(message.header.stamp)
            problem = self._broadcaster.send(result.map_T_camera, header, message.header.frame_id)
            if problem:
                self._warn(problem)

    def _warn(self, text: str) -> None:
        self.get_logger().warning(text, throttle_duration_sec=WARNING_PERIOD_S)


def start(node: RelocalizerNode) -> bool:
    """Configure and activate the node; return whether both went well."""
    success = TransitionCallbackReturn.SUCCESS
    return node.trigger_configure() == success and node.trigger_activate() == success


def main(loader: Callable[[parameters.NodeParameters], Loaded] = load) -> int:
    """Run the node until it is interrupted; return 2 when ``autostart`` is set and it cannot start."""
    prepare_process()
    rclpy.init()
    node = RelocalizerNode(loader)
    try:
        if node.get_parameter("autostart").value and not start(node):
            return CANNOT_START
        rclpy.spin(node)
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        node.release_all()
        node.destroy_node()
        rclpy.try_shutdown()
    return 0


if __name__ == "__main__":
    sys.exit(main())
