"""Watch on a pose or odometry topic of another localizer, whose silence or large covariance starts a rescue."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from dsm_ros.node.interface.node_scope import NodeScope, ros_time_s
from dsm_ros.node.interface.topics import WATCHED_ODOMETRY, WATCHED_POSE
from dsm_ros.node.rescue.rescue import Rescue

TOPICS = {"odometry": WATCHED_ODOMETRY, "pose": WATCHED_POSE}
CHECK_PERIOD_S = 0.1


class TopicHealth:
    """Health of a pose topic: silence and standard deviation against their limits."""

    def __init__(self, timeout_s: float, max_sigma_m: float):
        self._timeout_s, self._max_sigma_m = timeout_s, max_sigma_m
        self._received_s: float | None = None
        self._sigma_m = 0.0

    def add(self, variances_3: tuple[float, float, float], now_s: float) -> None:
        """Add the position variances (m^2) of one message."""
        largest = max(variances_3) if all(map(math.isfinite, variances_3)) else math.inf
        self._received_s, self._sigma_m = now_s, math.sqrt(max(0.0, largest))

    def problem(self, now_s: float) -> str | None:
        """Return the present problem, if any. Silence is a problem only after the first message."""
        if self._received_s is None:
            return None
        self._received_s = min(self._received_s, now_s)  # the clock may have been set back
        silent_s = now_s - self._received_s
        if silent_s > self._timeout_s:
            return f"no message for {silent_s:.1f} s, limit {self._timeout_s:.1f} s"
        if self._sigma_m > self._max_sigma_m:
            return f"the standard deviation of its position is {self._sigma_m:.2f} m, limit {self._max_sigma_m:.2f} m"
        return None


class PoseWatch:
    """Watches a topic until the scope is closed, and rescues until a pose is found or the problem is over.

    start: starts a rescue because of a problem, in the executor's thread; returns None while the node is inactive.
    """

    def __init__(
        self, scope: NodeScope, topic: str, kind: str, health: TopicHealth, start: Callable[[str], Rescue | None]
    ):
        self._topic, self._health, self._start = topic, health, start
        self._rescue: Rescue | None = None
        scope.subscription(replace(TOPICS[kind], name=topic), self._on_pose)
        scope.timer(CHECK_PERIOD_S, self._check)
        self._now_s = partial(ros_time_s, scope.node)

    def _on_pose(self, message: Any) -> None:
        covariance = message.pose.covariance
        self._health.add((float(covariance[0]), float(covariance[7]), float(covariance[14])), self._now_s())

    def _check(self) -> None:
        problem = self._health.problem(self._now_s())
        if problem is None:
            self._rescue = None
        elif self._rescue is None or self._rescue.has_failed:
            self._rescue = self._start(f"{self._topic}: {problem}")
