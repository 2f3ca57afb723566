"""Interface to rescues: action, trigger, hints, watch, and the service ~/reinitialize_global_localization."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from geometry_msgs.msg import PoseWithCovarianceStamped

from dsm_ros.localization.tracker import Hint
from dsm_ros.node.images.frame_processor import FrameProcessor
from dsm_ros.node.interface import topics
from dsm_ros.node.interface.node_scope import NodeScope
from dsm_ros.node.outputs.outputs import Outputs
from dsm_ros.node.parameters.node_parameters import NodeParameters
from dsm_ros.node.rescue.initialpose import InitialPose
from dsm_ros.node.rescue.pose_watch import PoseWatch, TopicHealth
from dsm_ros.node.rescue.requests import Listener, RescueRequest, RescueRequests
from dsm_ros.node.rescue.rescue import Rescue
from dsm_ros.node.tf.base_frame import BaseFrame


@dataclass(frozen=True)
class RescueContext:
    """Parts of the node that rescues use.

    initialpose: None without publish_initialpose. on_request: called after a request was opened.
    """

    processor: FrameProcessor
    outputs: Outputs
    requests: RescueRequests
    base: BaseFrame
    initialpose: InitialPose | None
    on_request: Callable[[], None]


class RescueInterface:
    """Accepts requests and hints until the scope is closed."""

    def __init__(self, scope: NodeScope, values: NodeParameters, context: RescueContext):
        self._logger, self._values, self._context = scope.node.get_logger(), values, context
        scope.subscription(topics.HINT, self._on_hint)
        scope.subscription(topics.TRIGGER, lambda _: self._start_on_request("~/trigger was received"))
        scope.service(topics.REINITIALIZE, self._on_reinitialize)
        scope.service(topics.RESET, self._on_reset)
        if values.watch_topic:
            health = TopicHealth(values.watch_timeout_s, values.watch_max_sigma_m)
            PoseWatch(scope, values.watch_topic, values.watch_type, health, self._start)

    @property
    def outputs(self) -> Outputs:
        """Publishers of the node."""
        return self._context.outputs

    def begin(self, timeout_s: float, hint: PoseWithCovarianceStamped | None, listener: Listener) -> None:
        """Open a request for the next pose, searched in the whole map, or around a hint first."""
        request = self._context.requests.open(timeout_s, listener)
        self._context.on_request()
        self._context.processor.reset()
        if hint is not None:
            self._take_hint(hint)
        self._context.processor.between_images(request.start)

    def remaining_s(self, request: RescueRequest) -> float:
        """Return the time until the timeout of a request."""
        return self._context.requests.remaining_s(request)

    def use(self, values: NodeParameters) -> None:
        """Change the timeout of rescues and the minimum radius of hints."""
        self._values = values

    def _start_on_request(self, why: str) -> None:
        if self._start(why) is None:
            self._logger.warning(f"no rescue is started, because the node is not active: {why}")

    def _start(self, why: str) -> Rescue | None:
        """Start a rescue; return None while requests are refused."""
        if self._context.requests.refusal:
            return None
        self._logger.info(f"relocalizing: {why}")
        rescue = Rescue(self._logger)
        self.begin(self._values.rescue_timeout_s, None, rescue)
        return rescue

    def _on_hint(self, message: PoseWithCovarianceStamped) -> None:
        initialpose = self._context.initialpose
        if initialpose is None or not initialpose.is_own(message):
            self._take_hint(message)

    def _take_hint(self, message: PoseWithCovarianceStamped) -> None:
        self._context.processor.hint(partial(self._hint, message))

    def _hint(self, message: PoseWithCovarianceStamped, map_frame: str, camera_frame: str) -> Hint | str:
        hint = self._context.base.hint(message, map_frame, camera_frame, self._values.hint_radius_m)
        if isinstance(hint, str):
            self._logger.warning(hint)
            return hint
        x, y, z = hint.map_T_camera[:3, 3]
        self._logger.info(
            f"hint: searching first within {hint.radius_m:.1f} m of ({x:.2f}, {y:.2f}, {z:.2f}) in {map_frame}"
        )
        return hint

    def _on_reinitialize(self, request: Any, response: Any) -> Any:
        """Start a rescue. Nav2's behaviour trees call a service of this name, which AMCL has too."""
        self._start_on_request("~/reinitialize_global_localization was called")
        return response

    def _on_reset(self, request: Any, response: Any) -> Any:
        self._context.processor.reset()
        response.success, response.message = True, "searching the whole map"
        return response
