"""The lifecycle node ``relocalizer``: its transitions, and the program that runs it."""

from __future__ import annotations

import logging
import signal
import time
import traceback
from collections.abc import Callable
from typing import Any

import rclpy
from rclpy.exceptions import InvalidHandle, ParameterException
from rclpy.executors import MultiThreadedExecutor
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.logging import get_logger

from dsm_ros.errors import DsmError
from dsm_ros.node import parameters
from dsm_ros.node.interruption import until_interrupted
from dsm_ros.node.loading import Loader, load
from dsm_ros.node.log_forwarding import RosLogHandler
from dsm_ros.node.parameter_changes import ParameterChanges
from dsm_ros.node.relocalizer import Relocalizer

EXECUTOR_THREADS = 4  # images, transforms, an action that waits, and services
CANNOT_START = 2
LONGEST_WAIT_S = 1.0  # rclpy may miss a signal that arrives between two waits
MAX_SPIN_FAILURES, SPIN_PAUSE_S = 1000, 0.001  # in a row
RCLError = rclpy_implementation.RCLError

Callback = Callable[["RelocalizerNode", LifecycleState], TransitionCallbackReturn]


def on_exception(outcome: TransitionCallbackReturn) -> Callable[[Callback], Callback]:
    """Return a decorator that logs an error of a lifecycle callback and returns an outcome; rclpy hides the error."""

    def decorate(callback: Callback) -> Callback:
        def wrapper(self: RelocalizerNode, state: LifecycleState) -> TransitionCallbackReturn:
            try:
                return callback(self, state)
            except Exception as error:
                self.log_failure(callback.__name__, error)
                return outcome

        return wrapper

    return decorate


class RelocalizerNode(LifecycleNode):
    """Lifecycle node that makes a Relocalizer when it is configured, and closes it when it is cleaned up.

    options: further arguments of rclpy's node.
    """

    def __init__(self, loader: Loader = load, **options: Any):
        super().__init__("relocalizer", **options)
        self._loader = loader
        self._relocalizer: Relocalizer | None = None
        self._log_handler = RosLogHandler(self.get_logger())
        logging.getLogger("dsm_ros").addHandler(self._log_handler)
        parameters.declare(self)
        ParameterChanges(self, lambda: self._relocalizer is not None, self._apply)

    @property
    def relocalizer(self) -> Relocalizer:
        """The Relocalizer of a configured node. Raises RuntimeError while the node is not configured."""
        if self._relocalizer is None:
            raise RuntimeError("the node is not configured")
        return self._relocalizer

    @on_exception(TransitionCallbackReturn.FAILURE)
    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Load network and map, and create everything but the image subscriptions; a failure leaves nothing behind."""
        values = parameters.read(self)
        self._relocalizer = Relocalizer(self, values, self._loader)
        if values.map:
            self.get_logger().info(f"map {values.map} is loaded")
        else:
            self.get_logger().warning("no map is loaded; call ~/load_map")
        return super().on_configure(state)

    @on_exception(TransitionCallbackReturn.FAILURE)
    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Subscribe to the cameras; a failure leaves the node inactive."""
        self.relocalizer.activate()
        return super().on_activate(state)

    @on_exception(TransitionCallbackReturn.ERROR)
    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Unsubscribe from the cameras once the current image is processed."""
        self.relocalizer.deactivate()
        return super().on_deactivate(state)

    @on_exception(TransitionCallbackReturn.ERROR)
    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Destroy everything that was created since the node was configured."""
        self.release()
        return super().on_cleanup(state)

    @on_exception(TransitionCallbackReturn.ERROR)
    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Destroy everything that was created, in any state of the node."""
        self.release()
        return super().on_shutdown(state)

    @on_exception(TransitionCallbackReturn.ERROR)
    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Destroy the remains of a failed transition, so that the node can be configured again."""
        self.release()
        return super().on_error(state)

    def release(self) -> None:
        """Deactivate and destroy everything that was created, in any state of the node."""
        relocalizer, self._relocalizer = self._relocalizer, None
        if relocalizer:
            relocalizer.close()

    def destroy_node(self) -> None:
        """Remove the log handler with the node."""
        logging.getLogger("dsm_ros").removeHandler(self._log_handler)
        super().destroy_node()

    def log_failure(self, callback: str, error: Exception) -> None:
        """Log the reason why a lifecycle callback failed, unless ROS has been shut down."""
        if self.context.ok():
            self.get_logger().error(f"{callback}: {reason_of(error)}")
            self.get_logger().debug(traceback.format_exc())

    def _apply(self, changes: dict[str, Any]) -> None:
        self.relocalizer.apply(changes)


def reason_of(error: Exception) -> str:
    """Return the message of an error that was written for users, and type and message of any other error."""
    return str(error) if isinstance(error, (DsmError, ValueError, RuntimeError)) else repr(error)


def start(node: RelocalizerNode) -> bool:
    """Configure and activate the node; return whether both succeeded."""
    success = TransitionCallbackReturn.SUCCESS
    return node.trigger_configure() == success and node.trigger_activate() == success


def spin(node: RelocalizerNode) -> None:
    """Run callbacks until ROS is shut down. Raises an error of rclpy that repeats MAX_SPIN_FAILURES times in a row."""
    executor, failures = MultiThreadedExecutor(EXECUTOR_THREADS), 0
    executor.add_node(node)
    while rclpy.ok():
        try:
            executor.spin_once(timeout_sec=LONGEST_WAIT_S)
            failures = 0
        except (InvalidHandle, RCLError):  # another thread is destroying an entity of the wait set
            failures += 1
            if failures > MAX_SPIN_FAILURES:
                raise
            time.sleep(SPIN_PAUSE_S)


def run(loader: Loader) -> int:
    """Make the node, start it if ``autostart`` is set, and run its callbacks; return 2 if the node cannot start."""
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
        node.release()
        node.destroy_node()
    return 0


def main(loader: Loader = load) -> int:
    """Run the node until it is interrupted; return 2 if ``autostart`` is set and the node cannot start."""
    rclpy.init()
    try:
        with until_interrupted(rclpy.get_default_context()):
            return run(loader)
    finally:
        rclpy.try_shutdown()
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # ros2 launch sends a second SIGINT after that of the terminal
    return 0
