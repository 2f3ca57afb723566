"""Thread for long work of callbacks, during which the executor runs other callbacks."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from rclpy.task import Future

from dsm_ros.node.interface.node_scope import NodeScope


class Background:
    """Runs functions one after the other in a thread, until the scope is closed."""

    def __init__(self, scope: NodeScope):
        self._node, self._pool = scope.node, ThreadPoolExecutor(1, "background")
        scope.on_close(self._pool.shutdown, False)

    def run(self, function: Callable[[], object]) -> Any:
        """Return a future of the function's result or exception, for ``await`` in a callback that is a coroutine."""
        answer = Future()

        def work() -> None:
            try:
                answer.set_result(function())
            except Exception as error:
                answer.set_exception(error)
            if executor := self._node.executor:
                executor.wake()  # the executor looks at waiting coroutines only when something wakes it

        self._pool.submit(work)
        return answer
