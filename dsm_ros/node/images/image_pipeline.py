"""Pipeline of two threads, in which a newer image replaces an image that waits."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Given = TypeVar("Given")
Result = TypeVar("Result")
Item = TypeVar("Item")
Prepared = TypeVar("Prepared")
REPORT_PERIOD_S = 5.0
_log = logging.getLogger(__name__)


@dataclass
class ImageCounts:
    """Numbers of items that a pipeline received, dropped in favour of newer items, and failed to process."""

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


@dataclass(frozen=True)
class Stage(Generic[Given, Result]):
    """A function that a thread of the pipeline calls with each item; begin: called once in the thread, before that."""

    run: Callable[[Given], Result]
    begin: Callable[[], None] = lambda: None


class ImagePipeline(Generic[Item, Prepared]):
    """Prepares the newest item in one thread while another thread processes the item before.

    Only one prepared item waits, and the next item is chosen when the prepared item is taken, so that items do not
    become old. An exception ends neither thread. counts: updated by the pipeline.
    """

    def __init__(self, first: Stage[Item, Prepared], second: Stage[Prepared, None], counts: ImageCounts):
        self.counts = counts
        self._newest: Item | None = None
        self._prepared: Prepared | None = None
        self._reported, self._reported_s = "", 0.0
        self._stopping = False
        self._changed = threading.Condition()
        self._threads = [
            threading.Thread(target=self._prepare_all, args=(first,), name="prepare-images", daemon=True),
            threading.Thread(target=self._process_all, args=(second,), name="process-images", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def put(self, item: Item) -> Item | None:
        """Offer an item, and return at once the item that it replaces, which is dropped."""
        with self._changed:
            replaced, self._newest = self._newest, item
            self.counts.count_received(replaces_another=replaced is not None)
            self._changed.notify_all()
            return replaced

    def stop(self) -> None:
        """End both threads after their current items, and wait for the end; an item between the threads is dropped."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _prepare_all(self, stage: Stage[Item, Prepared]) -> None:
        stage.begin()
        while self._wait_for(lambda: self._newest is not None and self._prepared is None):
            with self._changed:
                item, self._newest = self._newest, None
            prepared = self._safely(stage.run, item)
            with self._changed:
                self._prepared = prepared
                self._changed.notify_all()

    def _process_all(self, stage: Stage[Prepared, None]) -> None:
        stage.begin()
        while self._wait_for(lambda: self._prepared is not None):
            with self._changed:
                prepared, self._prepared = self._prepared, None
                self._changed.notify_all()
            self._safely(stage.run, prepared)

    def _wait_for(self, is_ready: Callable[[], bool]) -> bool:
        """Wait until a thread has something to do, and return True, or until the pipeline stops, and return False."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopping or is_ready())
            return not self._stopping

    def _safely(self, function: Callable[[Any], Result], item: object) -> Result | None:
        try:
            return function(item)
        except Exception as error:
            self.counts.count_failed()
            self._report(error)
            return None

    def _report(self, error: Exception) -> None:
        """Log an exception with its traceback; the same exception at most once in REPORT_PERIOD_S."""
        now_s = time.monotonic()
        if repr(error) != self._reported or now_s - self._reported_s > REPORT_PERIOD_S:
            self._reported, self._reported_s = repr(error), now_s
            _log.error("an image could not be processed (%d so far)", self.counts.failed, exc_info=error)
