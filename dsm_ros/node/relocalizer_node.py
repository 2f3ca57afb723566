"""The lifecycle node ``relocalizer``: images in; pose, status, transform and dense cloud out."""

from __future__ import annotations

import logging
import signal
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import rclpy
from rclpy.exceptions import InvalidHandle, ParameterException
from rclpy.executors import MultiThreadedExecutor
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.logging import get_logger

from dsm_ros.localization.tracker import Tracker
from dsm_ros.msg import RelocalizationStatus
from dsm_ros.node import parameters
from dsm_ros.node.images.cameras import Cameras
from dsm_ros.node.images.frame_processor import FrameProcessor, Surroundings
from dsm_ros.node.images.frame_report import Answer
from dsm_ros.node.images.image_input import ImageInput
from dsm_ros.node.images.latest_image_worker import WorkerCounts
from dsm_ros.node.interruption import interruptible, until_interrupted
from dsm_ros.node.loading import Loaded, Loader, load
from dsm_ros.node.log_forwarding import RosLogHandler
from dsm_ros.node.outputs import Outputs
from dsm_ros.node.parameter_changes import ParameterChanges
from dsm_ros.node.rescue.base_frame import BaseFrame
from dsm_ros.node.rescue.rescue_interface import Desk, RescueInterface
from dsm_ros.node.tf.map_broadcaster import MapBroadcaster
from dsm_ros.node.tf.transforms import Transforms
from dsm_ros.process import prepare_process

DIAGNOSTICS_PERIOD_S = 1.0
EXECUTOR_THREADS = 4  # images, transforms, an action that waits, and services
CANNOT_START = 2

Callback = Callable[["RelocalizerNode", LifecycleState], TransitionCallbackReturn]


def logged(callback: Callback) -> Callback:
    """Log what a lifecycle callback raises: rclpy turns it into ERROR without a word."""

    def wrapper(self: RelocalizerNode, state: LifecycleState) -> TransitionCallbackReturn:
        try:
            return callback(self, state)
        except Exception as error:
            if self.context.ok():  # else it is what interrupted it
                self.get_logger().error(f"{callback.__name__}: {error}")
                self.get_logger().debug(traceback.format_exc())
            return TransitionCallbackReturn.FAILURE

    return wrapper


class RelocalizerNode(LifecycleNode):
    """Configure loads, activate subscribes, and the rest undoes it in reverse."""

    def __init__(self, loader: Loader = load):
        super().__init__("relocalizer")
        self._loader = loader
        self._input: ImageInput | None = None
        self._broadcaster: MapBroadcaster | None = None
        self._closers: list[Callable[[], None]] = []
        self._loaded: Loaded | None = None
        self._log_handler = RosLogHandler(self.get_logger())
        logging.getLogger("dsm_ros").addHandler(self._log_handler)
        parameters.declare(self)
        ParameterChanges(self, self._is_configured, self._apply)

    @logged
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load the network and the map, create everything but the image input."""
        values = self._values = parameters.read(self)
        loaded = self._loaded = self._loader(values, values.map, None) if values.map else None
        self._outputs, transforms = Outputs(self), Transforms(self)
        self._broadcaster = MapBroadcaster(self, transforms, values.broadcast_settings()) if values.publish_tf else None
        around = Surroundings(
            loaded.map_frame if loaded else "",
            values.odom_frame,
            transforms,
            self._broadcaster,
            values.map_covariance_66(),
            self._publish,
        )
        rig_frame = values.base_frame if values.cameras else ""
        self._cameras = Cameras(values.camera_names(), rig_frame, transforms, values.camera_of())
        self._processor = FrameProcessor(self, Tracker(loaded.localizer) if loaded else None, around, self._cameras)
        base = BaseFrame(transforms, values.base_frame)
        desk = Desk(self._processor, self._outputs, base, self._describe, self._is_active, self._load_map)
        self._rescue = RescueInterface(self, values, desk)
        users = (self._rescue, self._broadcaster, transforms, self._outputs)
        self._closers = [user.close for user in users if user]
        if loaded:
            self._show(loaded)
            self.get_logger().info(f"map {values.map} is loaded")
        else:
            self.get_logger().warning("there is no map yet: call ~/load_map")
        return TransitionCallbackReturn.SUCCESS

    @logged
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Listen to the cameras."""
        self._input = ImageInput(self, self._values, self._cameras, self._processor.process, self._is_looking)
        self._timer = self.create_timer(DIAGNOSTICS_PERIOD_S, interruptible(self._on_timer, self.context))
        return super().on_activate(state)

    @logged
    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Listen no more, once the image in work is done."""
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

    def destroy_node(self) -> None:
        """Forget the log handler with the node."""
        logging.getLogger("dsm_ros").removeHandler(self._log_handler)
        super().destroy_node()

    def _stop_listening(self) -> None:
        if self._input is None:
            return
        self.destroy_timer(self._timer)
        self._input.close()
        self._input = None
        self._processor.use(Tracker.reset)
        if self._broadcaster:
            self._broadcaster.forget()

    def _release(self) -> None:
        for close in self._closers:
            close()
        self._closers, self._loaded = [], None

    def _is_configured(self) -> bool:
        return bool(self._closers)

    def _is_active(self) -> bool:
        return self._input is not None

    def _counts(self) -> WorkerCounts:
        return self._input.counts if self._input else WorkerCounts()

    def _is_looking(self) -> bool:
        return self._values.continuous or self._rescue.is_waiting

    def _on_timer(self) -> None:
        limit_s = self._values.stale_after_s
        if self._input and self._values.continuous and (silent_s := self._input.new_silence_s(limit_s)):
            self._say(self._processor.silence(silent_s, limit_s))
        self._outputs.publish_diagnostics(self._counts(), self._processor.faults)

    def _publish(self, answer: Answer) -> None:
        self._rescue.see(answer)
        self._say(answer)

    def _say(self, answer: Answer) -> None:
        if self.context.ok():  # else it was interrupted meanwhile, and even the log would complain
            self._outputs.publish(answer, self._counts())

    def _apply(self, changes: dict[str, Any]) -> None:
        """Take up changed parameters while the node is configured."""
        values = self._values = replace(self._values, **changes)
        if self._input:
            self._input.restart_silence()
        self._rescue.use(values)
        if self._broadcaster:
            self._broadcaster.use(values.broadcast_settings())
        if loaded := self._loaded:
            self._processor.use(lambda _: setattr(loaded.localizer, "config", values.localizer_config()))

    def _describe(self, answer: Answer) -> RelocalizationStatus:
        return self._outputs.describe(answer, self._counts())

    def _load_map(self, map_uri: str) -> int:
        loaded = self._loader(self._values, map_uri, self._loaded)
        self._loaded = loaded
        self._processor.replace(Tracker(loaded.localizer), loaded.map_frame)
        self._show(loaded)
        self.get_logger().info(f"map {map_uri} is loaded in place of the old one")
        return len(loaded.map_T_keyframes_N44)

    def _show(self, loaded: Loaded) -> None:
        self._outputs.show_map(
            loaded.map_frame,
            loaded.points_N3,
            loaded.colors_N3,
            loaded.map_T_keyframes_N44,
            loaded.keyframe_images,
        )


def start(node: RelocalizerNode) -> bool:
    """Configure and activate the node; return whether both went well."""
    success = TransitionCallbackReturn.SUCCESS
    return node.trigger_configure() == success and node.trigger_activate() == success


def spin(node: RelocalizerNode) -> None:
    """Spin until interrupted."""
    executor = MultiThreadedExecutor(EXECUTOR_THREADS)
    executor.add_node(node)
    while rclpy.ok():
        try:
            executor.spin_once()
        except InvalidHandle:
            continue  # another thread has just destroyed what was to be waited for


def run(loader: Loader) -> int:
    """Make the node, start it if it is to, and spin; return 2 when it cannot start."""
    try:
        node = RelocalizerNode(loader)
    except ParameterException as error:  # a value of the wrong type or out of range
        get_logger("relocalizer").fatal(str(error))
        return CANNOT_START
    try:
        if node.get_parameter("autostart").value and not start(node):
            return CANNOT_START if rclpy.ok() else 0
        spin(node)
    finally:
        node.release_all()
        node.destroy_node()
    return 0


def main(loader: Loader = load) -> int:
    """Run the node until it is interrupted; return 2 when ``autostart`` is set and it cannot start."""
    prepare_process()
    rclpy.init()
    try:
        with until_interrupted(rclpy.get_default_context()):
            return run(loader)
    finally:
        rclpy.try_shutdown()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # one more, as launch sends beside the terminal's, ends nothing
    return 0


if __name__ == "__main__":
    sys.exit(main())
