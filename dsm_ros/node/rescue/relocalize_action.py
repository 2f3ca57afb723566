"""Action ``~/relocalize``, which returns a pose before a timeout, or the reason for failure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.action import CancelResponse, GoalResponse
from rclpy.callback_groups import ReentrantCallbackGroup

from dsm_ros.action import Relocalize
from dsm_ros.localization.result import Localized
from dsm_ros.node.conversions import pose_to_msg
from dsm_ros.node.interface import RELOCALIZE
from dsm_ros.node.node_scope import NodeScope
from dsm_ros.node.outputs import Outputs
from dsm_ros.node.rescue.requests import RescueRequest

DEFAULT_TIMEOUT_S = 5.0
LONGEST_WAIT_S = 0.1  # then the goal may have been cancelled


class RelocalizeAction:
    """Serves goals side by side: every image counts for all of them.

    begin: opens a request (timeout, hint message or None). end: ends it early. is_active: whether images are processed.
    """

    def __init__(
        self,
        scope: NodeScope,
        begin: Callable[[float, Any], RescueRequest],
        end: Callable[[RescueRequest], None],
        is_active: Callable[[], bool],
        outputs: Outputs,
    ):
        self._logger, self._begin, self._end = scope.node.get_logger(), begin, end
        self._is_active, self._outputs = is_active, outputs
        scope.action(
            RELOCALIZE,
            self._execute,
            callback_group=ReentrantCallbackGroup(),
            goal_callback=self._accept,
            cancel_callback=lambda goal: CancelResponse.ACCEPT,
        )

    def _accept(self, goal: Any) -> GoalResponse:
        if self._is_active():
            return GoalResponse.ACCEPT
        self._logger.warning("a goal of ~/relocalize is rejected: the node is not active")
        return GoalResponse.REJECT

    def _execute(self, goal_handle: Any) -> Any:
        goal = goal_handle.request
        request = self._begin(goal.timeout_s or DEFAULT_TIMEOUT_S, goal.hint if goal.use_hint else None)
        shown = 0
        while not request.done and not goal_handle.is_cancel_requested and self._is_active():
            request.wait(shown, LONGEST_WAIT_S)
            if request.frames > shown and request.last:
                shown = request.frames
                status, remaining_s = self._outputs.describe(request.last), request.remaining_s
                goal_handle.publish_feedback(Relocalize.Feedback(status=status, frames=shown, remaining_s=remaining_s))
        self._end(request)
        return self._finish(goal_handle, request)

    def _finish(self, goal_handle: Any, request: RescueRequest) -> Any:
        result = Relocalize.Result(frames=request.frames)
        if request.found and isinstance(request.found.result, Localized):
            header, found = self._outputs.header(request.found.header.stamp), request.found.result
            result.success, result.pose = True, pose_to_msg(found.map_T_camera, found.covariance_66, header)
            goal_handle.succeed()
        elif goal_handle.is_cancel_requested:
            result.reason, result.detail = "canceled", f"canceled after {request.frames} images"
            goal_handle.canceled()
        else:
            result.reason, result.detail = map(str, request.failure())
            goal_handle.abort()
        return result
