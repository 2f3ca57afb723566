"""Worker thread with one slot, in which a newer item replaces the waiting item."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")
REPORT_PERIOD_S = 5.0
_log = logging.getLogger(__name__)


@dataclass
class WorkerCounts:
    """Numbers of items that a worker received, dropped in favour of newer items, and failed to process."""

    received: int = 0
    dropped: int = 0
    failed: int = 0

    def count_received(self, replaces_another: bool) -> None:
        """Count a received item, and a dropped item if the received item replaces another."""
        self.received += 1
        self.dropped += replaces_another

    def count_failed(self) -> None:
        """Count an item whose processing raised an exception."""
        self.failed += 1


class LatestImageWorker(Generic[Item]):
    """Calls ``process`` with the newest item in a thread of its own; an exception does not end the thread.

    counts: updated by the worker. prepare: called once in the thread, before the first item.
    """

    def __init__(
        self, process: Callable[[Item], None], counts: WorkerCounts, prepare: Callable[[], None] = lambda: None
    ):
        self.counts = counts
        self._process, self._prepare = process, prepare
        self._slot: Item | None = None
        self._reported, self._reported_s = "", 0.0
        self._stopping = False
        self._wake = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="latest-image", daemon=True)
        self._thread.start()

    def put(self, item: Item) -> None:
        """Offer an item; returns at once."""
        with self._wake:
            self.counts.count_received(replaces_another=self._slot is not None)
            self._slot = item
            self._wake.notify()

    def stop(self) -> None:
        """End the thread after the current item, and wait for the end."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join()

    def _run(self) -> None:
        self._prepare()
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._stopping or self._slot is not None)
                if self._stopping:
                    return
                item, self._slot = self._slot, None
            try:
                self._process(item)  # type: ignore[arg-type]
            except Exception as error:
                self.counts.count_failed()
                self._report(error)

    def _report(self, error: Exception) -> None:
        """Log an exception with its traceback; the same exception at most once in REPORT_PERIOD_S."""
        now_s = time.monotonic()
        if repr(error) != self._reported or now_s - self._reported_s > REPORT_PERIOD_S:
            self._reported, self._reported_s = repr(error), now_s
            _log.error("an image could not be processed (%d so far)", self.counts.failed, exc_info=error)
