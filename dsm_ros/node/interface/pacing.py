"""Queue of answers to clients, which are sent with a pause between each two."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Any

from rclpy.task import Future

from dsm_ros.node.interface.node_scope import NodeScope, Switch

PAUSE_S = 0.02


class PacedQueue:
    """Calls functions one after the other in the executor's thread, PAUSE_S apart, until the scope is closed.

    A client of a service receives the answers to all clients, and drops the answers that exceed its history depth (10
    by default). The pauses give each client the time to read. Any thread may call the methods.
    """

    def __init__(self, scope: NodeScope):
        self._waiting: deque[Callable[[], None]] = deque()
        self._lock = threading.Lock()
        self._timer = Switch(scope, lambda made: made.steady_timer(PAUSE_S, self._next))

    def add(self, function: Callable[[], None]) -> None:
        """Call a function after the functions that wait, and after a pause."""
        with self._lock:
            self._waiting.append(function)
        self._timer.turn(True)

    def turn(self) -> Any:
        """Return a future that is done after a pause, for ``await`` in a callback that is a coroutine."""
        turn = Future()
        self.add(partial(turn.set_result, None))
        return turn

    def flush(self) -> None:
        """Call all waiting functions now, without pauses."""
        while function := self._take():
            function()

    def _next(self) -> None:
        if function := self._take():
            function()
        else:
            self._timer.turn(False)
            if self._waiting:  # another thread has added a function in the meantime
                self._timer.turn(True)

    def _take(self) -> Callable[[], None] | None:
        with self._lock:
            return self._waiting.popleft() if self._waiting else None
