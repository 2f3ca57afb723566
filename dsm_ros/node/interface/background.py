"""Thread for long work of callbacks, during which the executor runs other callbacks."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from rclpy.task import Future

from dsm_ros.node.interface.node_scope import NodeScope


class Background:
    """Runs functions one after the other in a thread, until the scope is closed."""

    def __init__(self, scope: NodeScope):
        self._node, self._pool = scope.node, ThreadPoolExecutor(1, "background")
        self._open: set[Any] = set()
        self._lock = threading.Lock()
        scope.on_close(self._pool.shutdown, False)

    def run(self, function: Callable[[], object]) -> Any:
        """Return a future of the function's result or exception, for ``await`` in a callback that is a coroutine."""
        answer = Future()
        self._open.add(answer)
        self._pool.submit(self._work, function, answer)
        return answer

    def abandon(self, error: Exception) -> bool:
        """Set an exception for all functions that have not ended; return whether there were any.

        The function that runs is not interrupted, and its result is ignored. The functions that wait do not run.
        """
        return sum(self._end(answer, partial(answer.set_exception, error)) for answer in list(self._open)) > 0

    def _work(self, function: Callable[[], object], answer: Any) -> None:
        if answer not in self._open:
            return
        try:
            settle = partial(answer.set_result, function())
        except Exception as error:
            settle = partial(answer.set_exception, error)
        self._end(answer, settle)

    def _end(self, answer: Any, settle: Callable[[], None]) -> bool:
        with self._lock:
            if answer not in self._open:  # another thread has ended it
                return False
            self._open.remove(answer)
        settle()
        if executor := self._node.executor:
            executor.wake()  # the executor looks at waiting coroutines only when something wakes it
        return True
