"""A look at somebody else's pose or odometry topic: when it falls silent or blows up, a rescue starts."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from geometry_msgs.msg import PoseWithCovarianceStamped
from nav_msgs.msg import Odometry
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data

TOPIC_TYPES = {"odometry": Odometry, "pose": PoseWithCovarianceStamped}
CHECK_PERIOD_S = 0.1


class Health:
    """Whether a source of poses is well; tells of each illness once."""

    def __init__(self, timeout_s: float, max_sigma_m: float):
        self._timeout_s, self._max_sigma_m = timeout_s, max_sigma_m
        self._heard_s: float | None = None
        self._sigma_m = 0.0
        self._reported = False

    def hear(self, variances_3: tuple[float, float, float], now_s: float) -> None:
        """Take up the position variances (m^2) of one message."""
        largest = max(variances_3) if all(map(math.isfinite, variances_3)) else math.inf
        self._heard_s, self._sigma_m = now_s, math.sqrt(max(0.0, largest))
        self._reported = self._reported and self._sigma_m > self._max_sigma_m

    def complaint(self, now_s: float) -> str | None:
        """Return what is wrong, once for each time it goes wrong; silence counts after the first message."""
        if self._heard_s is None or self._reported:
            return None
        silent_s = now_s - self._heard_s
        if silent_s > self._timeout_s:
            text = f"no message for {silent_s:.1f} s, limit {self._timeout_s:.1f} s"
        elif self._sigma_m > self._max_sigma_m:
            text = f"its position deviation is {self._sigma_m:.2f} m, limit {self._max_sigma_m:.2f} m"
        else:
            return None
        self._reported = True
        return text


class PoseWatch:
    """Subscribes to the watched topic; calls ``on_complaint`` from the executor's thread."""

    def __init__(self, node: Node, topic: str, kind: str, health: Health, on_complaint: Callable[[str], None]):
        self._node, self._topic, self._health, self._on_complaint = node, topic, health, on_complaint
        self._subscription = node.create_subscription(TOPIC_TYPES[kind], topic, self._hear, qos_profile_sensor_data)
        self._timer = node.create_timer(CHECK_PERIOD_S, self._check)

    def _hear(self, message: Any) -> None:
        covariance = message.pose.covariance
        self._health.hear((float(covariance[0]), float(covariance[7]), float(covariance[14])), time.monotonic())

    def _check(self) -> None:
        if complaint := self._health.complaint(time.monotonic()):
            self._on_complaint(f"{self._topic}: {complaint}")

    def close(self) -> None:
        """Stop watching."""
        self._node.destroy_timer(self._timer)
        self._node.destroy_subscription(self._subscription)
