"""The action ``~/relocalize``: a pose, or the reason why there is none, within a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.callback_groups import ReentrantCallbackGroup
from rclpy.node import Node

from dsm_ros.action import Relocalize
from dsm_ros.localization.result import Localized
from dsm_ros.msg import RelocalizationStatus
from dsm_ros.node.conversions import pose_to_msg
from dsm_ros.node.images.frame_report import Answer
from dsm_ros.node.rescue.requests import Rescue

DEFAULT_TIMEOUT_S = 5.0
LONGEST_WAIT_S = 0.1  # between looks at whether the goal was cancelled


class RelocalizeAction:
    """Serves goals side by side: every image counts for all of them.

    begin: opens a rescue (timeout, hint message or None). end: gives it up. is_active: whether images are looked at.
    describe: the status message of an answer.
    """

    def __init__(
        self,
        node: Node,
        begin: Callable[[float, Any], Rescue],
        end: Callable[[Rescue], None],
        is_active: Callable[[], bool],
        describe: Callable[[Answer], RelocalizationStatus],
        map_frame: Callable[[], str],
    ):
        self._node, self._begin, self._end, self._describe = node, begin, end, describe
        self._is_active, self._map_frame = is_active, map_frame
        self._server = ActionServer(
            node,
            Relocalize,
            "~/relocalize",
            self._execute,
            callback_group=ReentrantCallbackGroup(),
            goal_callback=self._accept,
            cancel_callback=lambda goal: CancelResponse.ACCEPT,
        )

    def close(self) -> None:
        """Take no more goals."""
        self._server.destroy()

    def _accept(self, goal: Any) -> GoalResponse:
        if self._is_active():
            return GoalResponse.ACCEPT
        self._node.get_logger().warning("a goal of ~/relocalize is rejected: the node is not active")
        return GoalResponse.REJECT

    def _execute(self, goal_handle: Any) -> Any:
        goal = goal_handle.request
        rescue = self._begin(goal.timeout_s or DEFAULT_TIMEOUT_S, goal.hint if goal.use_hint else None)
        shown = 0
        while not rescue.done and not goal_handle.is_cancel_requested and self._is_active():
            rescue.wait(shown, LONGEST_WAIT_S)
            if rescue.frames > shown and rescue.last:
                shown = rescue.frames
                status, remaining_s = self._describe(rescue.last), rescue.remaining_s
                goal_handle.publish_feedback(Relocalize.Feedback(status=status, frames=shown, remaining_s=remaining_s))
        self._end(rescue)
        return self._finish(goal_handle, rescue)

    def _finish(self, goal_handle: Any, rescue: Rescue) -> Any:
        result = Relocalize.Result(frames=rescue.frames)
        if rescue.found and isinstance(rescue.found.result, Localized):
            header = rescue.found.header
            header = type(header)(stamp=header.stamp, frame_id=self._map_frame())
            found = rescue.found.result
            result.success, result.pose = True, pose_to_msg(found.map_T_camera, found.covariance_66, header)
            goal_handle.succeed()
        elif goal_handle.is_cancel_requested:
            result.reason, result.detail = "canceled", f"canceled after {rescue.frames} images"
            goal_handle.canceled()
        else:
            result.reason, result.detail = map(str, rescue.failure())
            goal_handle.abort()
        return result
