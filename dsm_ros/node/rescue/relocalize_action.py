"""Action ``~/relocalize``, which returns a pose before a timeout, or the reason for failure."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

from rclpy.action import CancelResponse, GoalResponse
from rclpy.impl.implementation_singleton import rclpy_implementation

from dsm_ros.action import Relocalize
from dsm_ros.node.images.frame_report import FrameReport
from dsm_ros.node.interface.conversions import pose_to_msg
from dsm_ros.node.interface.node_scope import NodeScope
from dsm_ros.node.interface.pacing import PacedQueue
from dsm_ros.node.interface.topics import GOALS, RELOCALIZE
from dsm_ros.node.outputs.outputs import Outputs
from dsm_ros.node.rescue.requests import Failure, RescueRequest
from dsm_ros.node.rescue.rescue_interface import RescueInterface

DEFAULT_TIMEOUT_S, MAX_TIMEOUT_S = 5.0, 3600.0
INACTIVE = Failure("inactive", "the node is not active")


class RelocalizeAction:
    """Serves any number of goals at the same time, and no goal occupies a thread.

    The server exists as long as the node, so that clients get their results even after the node is cleaned up.
    rescue: returns the rescue interface of an active node, else None.
    """

    def __init__(self, scope: NodeScope, rescue: Callable[[], RescueInterface | None]):
        self._logger, self._rescue = scope.node.get_logger(), rescue
        self._unfinished: set[Goal] = set()
        self._answers, self._results = PacedQueue(scope), PacedQueue(scope)
        scope.action(
            RELOCALIZE,
            lambda handle: Relocalize.Result(),  # each goal is executed by a callback of its own
            goal_callback=self._accept,
            handle_accepted_callback=self._begin,
            cancel_callback=lambda handle: CancelResponse.ACCEPT,
            goal_service_qos_profile=GOALS,
            result_service_qos_profile=GOALS,
            cancel_service_qos_profile=GOALS,
        )

    @property
    def any_unfinished(self) -> bool:
        """Whether a goal has been accepted whose result has not been set yet."""
        return bool(self._unfinished)

    def send_results(self) -> None:
        """Send the results of all ended goals now, without pauses between the results."""
        self._results.flush()

    async def _accept(self, request: Any) -> GoalResponse:
        await self._answers.turn()
        if problem := timeout_problem(request.timeout_s):
            self._logger.warning(f"a goal of ~/relocalize is rejected: {problem}")
            return GoalResponse.REJECT
        if self._rescue() is None:
            self._logger.warning("a goal of ~/relocalize is rejected: the node is not active")
            return GoalResponse.REJECT
        return GoalResponse.ACCEPT

    def _begin(self, handle: Any) -> None:
        wanted, rescue = handle.request, self._rescue()
        if rescue is None:  # deactivated after the goal was accepted
            self._results.add(partial(handle.execute, partial(set_result, outcome=INACTIVE, frames=0)))
            return
        goal = Goal(handle, rescue, self._results, self._unfinished.discard)
        self._unfinished.add(goal)
        rescue.begin(wanted.timeout_s or DEFAULT_TIMEOUT_S, wanted.hint if wanted.use_hint else None, goal)


class Goal:
    """An accepted goal, which listens to its request.

    results: sends the results of all goals. on_finished: called with this goal once its result has been set.
    """

    def __init__(self, handle: Any, rescue: RescueInterface, results: PacedQueue, on_finished: Callable[[Goal], None]):
        self._handle, self._rescue, self._results, self._on_finished = handle, rescue, results, on_finished

    @property
    def is_canceled(self) -> bool:
        """Whether the client has canceled the goal."""
        return bool(self._handle.is_cancel_requested)

    def on_image(self, request: RescueRequest, report: FrameReport) -> None:
        """Send feedback about an image."""
        status, remaining_s = self._rescue.outputs.describe(report), self._rescue.remaining_s(request)
        self._handle.publish_feedback(
            Relocalize.Feedback(status=status, frames=request.frames, remaining_s=remaining_s)
        )

    def on_end(self, request: RescueRequest, outcome: FrameReport | Failure) -> None:
        """Schedule the result, after the results of other goals."""
        self._results.add(partial(self._execute, partial(self._finish, outcome=outcome, frames=request.frames)))

    def _execute(self, callback: Callable[[Any], Any]) -> None:
        try:
            self._handle.execute(callback)
        except rclpy_implementation.RCLError:  # canceled at this moment, so that the goal cannot begin to execute
            self._handle.execute(callback)

    def _finish(self, handle: Any, outcome: FrameReport | Failure, frames: int) -> Any:
        try:
            return set_result(handle, outcome, frames, self._rescue.outputs)
        finally:
            self._on_finished(self)


def set_result(handle: Any, outcome: FrameReport | Failure, frames: int, outputs: Outputs | None = None) -> Any:
    """Set the final state of a goal, and return its result."""
    result = Relocalize.Result(frames=frames)
    if isinstance(outcome, Failure):
        result.reason, result.detail = outcome.reason, outcome.detail
        handle.canceled() if handle.is_cancel_requested else handle.abort()
    elif outcome.pose and outputs:
        result.success, header = True, outputs.header(outcome.header.stamp)
        result.pose = pose_to_msg(outcome.pose.a_T_b, outcome.pose.covariance_66, header)
        handle.succeed()
    return result


def timeout_problem(timeout_s: float) -> str:
    """Return why a goal cannot have a timeout; empty if it can."""
    if math.isfinite(timeout_s) and 0 <= timeout_s <= MAX_TIMEOUT_S:
        return ""
    return f"timeout_s is {timeout_s:g}; use 0 (the default of {DEFAULT_TIMEOUT_S:g} s) to {MAX_TIMEOUT_S:g}"
