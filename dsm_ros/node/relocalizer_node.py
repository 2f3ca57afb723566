"""Lifecycle node ``relocalizer`` with its transitions."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter

from dsm_ros.errors import DsmError
from dsm_ros.node.interface.declaring import type_problem
from dsm_ros.node.interface.node_scope import NodeScope
from dsm_ros.node.maps.load_map_service import LoadMapService
from dsm_ros.node.maps.loading import NO_MAP, Loader, load
from dsm_ros.node.outputs.diagnostics import Diagnostics
from dsm_ros.node.outputs.log_forwarding import RosLogHandler
from dsm_ros.node.parameters.declaration import declare, read, unknown
from dsm_ros.node.parameters.parameter_changes import ParameterChanges
from dsm_ros.node.relocalizer import Relocalizer
from dsm_ros.node.rescue.relocalize_action import RelocalizeAction
from dsm_ros.node.rescue.requests import Failure
from dsm_ros.node.rescue.rescue_interface import RescueInterface

DIAGNOSTICS_PERIOD_S = 1.0
NOT_CONFIGURED, FINALIZED = "not configured", "finalized"
SHUT_DOWN = Failure("inactive", "the node was shut down")

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
        self._state_without = NOT_CONFIGURED  # state while there is no Relocalizer
        self._log_handler = RosLogHandler(self.get_logger())
        logging.getLogger("dsm_ros").addHandler(self._log_handler)
        self._scope = NodeScope(self)
        self._action = RelocalizeAction(self._scope, self._active_rescue)
        self._map_service = LoadMapService(self._scope, self._map_loader)
        self._diagnostics = Diagnostics(self._scope)
        self._scope.steady_timer(DIAGNOSTICS_PERIOD_S, self._report_health)
        declare(self)
        if names := unknown(self):
            self.get_logger().warning(f"unknown parameters are ignored: {', '.join(names)}; see docs/parameters.md")
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
        values = read(self)
        self._relocalizer = Relocalizer(self, values, self._loader)
        if values.map:
            self.get_logger().info(f"map {values.map} is loaded")
        else:
            self.get_logger().warning(NO_MAP)
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
        self._state_without = FINALIZED
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
            self._map_service.abandon()

    def end_requests(self) -> bool:
        """End all goals and requests for a map because of a shutdown; return whether a client waited for an answer."""
        if self._relocalizer:
            self._relocalizer.refuse_requests(SHUT_DOWN)
        return self._map_service.abandon() or self._action.any_unfinished

    def send_results(self) -> None:
        """Send the results of all ended goals now, without pauses between the results."""
        self._action.send_results()

    def set_parameters_atomically(self, parameter_list: list[Parameter[Any]]) -> SetParametersResult:
        """Set parameters, and refuse a value of the wrong type with its name, which rclpy does not give."""
        if problem := next(filter(None, (type_problem(self, parameter) for parameter in parameter_list)), ""):
            return SetParametersResult(successful=False, reason=problem)
        return super().set_parameters_atomically(parameter_list)

    def destroy_node(self) -> None:
        """Destroy the action and the log handler with the node."""
        self._scope.close()
        logging.getLogger("dsm_ros").removeHandler(self._log_handler)
        super().destroy_node()

    def log_failure(self, callback: str, error: Exception) -> None:
        """Log the reason why a lifecycle callback, such as on_configure, failed, unless ROS has been shut down."""
        if self.context.ok():
            self.get_logger().error(f"{callback.removeprefix('on_')} failed: {reason_of(error)}")
            self.get_logger().debug(traceback.format_exc())

    def _active_rescue(self) -> RescueInterface | None:
        return self._relocalizer.active_rescue if self._relocalizer else None

    def _map_loader(self) -> Callable[[str], int]:
        if self._relocalizer is None:
            step = "restart" if self._state_without == FINALIZED else "configure"
            raise DsmError(f"the node is {self._state_without}; {step} the node, then load the map")
        return self._relocalizer.load_map

    def _report_health(self) -> None:
        if self._relocalizer:
            self._relocalizer.report_health(self._diagnostics)
        else:
            self._diagnostics.publish_inactive(self._state_without)

    def _apply(self, changes: dict[str, Any]) -> None:
        self.relocalizer.apply(changes)


def reason_of(error: Exception) -> str:
    """Return the message of an error that was written for users, and type and message of any other error."""
    return str(error) if isinstance(error, (DsmError, ValueError, RuntimeError)) else repr(error)
