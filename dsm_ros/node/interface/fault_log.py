"""Log of faults that may repeat with each image."""

from __future__ import annotations

import math
import time
from collections.abc import Hashable

from rclpy.node import Node

PERIOD_S = 5.0


class FaultLog:
    """Logs each kind of fault at most once in PERIOD_S, so that no fault hides another fault.

    Nothing is logged after a shutdown of ROS. Any thread may call the methods.
    """

    def __init__(self, node: Node):
        self._node = node
        self._logged_s: dict[Hashable, float] = {}

    def warn(self, kind: Hashable, text: str) -> None:
        """Log a warning."""
        if self._is_due(kind):
            self._node.get_logger().warning(text)

    def warn_at_once(self, kind: Hashable, text: str) -> None:
        """Log a warning even if its kind was logged less than PERIOD_S ago."""
        self._logged_s.pop(kind, None)
        self.warn(kind, text)

    def error(self, kind: Hashable, text: str) -> None:
        """Log an error."""
        if self._is_due(kind):
            self._node.get_logger().error(text)

    def _is_due(self, kind: Hashable) -> bool:
        now_s = time.monotonic()
        if not self._node.context.ok() or now_s - self._logged_s.get(kind, -math.inf) < PERIOD_S:
            return False
        self._logged_s[kind] = now_s
        return True
