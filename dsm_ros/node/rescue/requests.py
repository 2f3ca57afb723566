"""Requests for a pose: from the action, the trigger topic and the watch; each ends with a pose or a reason."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from dsm_ros.localization.result import Localized, NotLocalized, Reason
from dsm_ros.node.images.frame_report import Answer


class Rescue:
    """One request; the worker's thread shows it answers, another waits for news."""

    def __init__(self, timeout_s: float):
        self.frames = 0
        self.found: Answer | None = None
        self.last: Answer | None = None
        self._timeout_s = timeout_s
        self._deadline_s = time.monotonic() + timeout_s
        self._news = threading.Condition()

    @property
    def remaining_s(self) -> float:
        """Time until it is given up."""
        return max(0.0, self._deadline_s - time.monotonic())

    @property
    def done(self) -> bool:
        """Whether there is a pose, or no time left."""
        return self.found is not None or self.remaining_s == 0

    def see(self, answer: Answer) -> None:
        """Take up the answer to an image that was looked at after the request."""
        with self._news:
            self.frames, self.last = self.frames + 1, answer
            if isinstance(answer.result, Localized):
                self.found = answer
            self._news.notify_all()

    def wait(self, frames: int, longest_s: float) -> None:
        """Wait until more than ``frames`` images were looked at, at most so long."""
        with self._news:
            self._news.wait_for(lambda: self.frames > frames, min(longest_s, self.remaining_s))

    def failure(self) -> tuple[str, str]:
        """Return reason and detail of a request without a pose."""
        if self.last is None:
            return Reason.TIMEOUT, f"no image was looked at within {self._timeout_s:.1f} s; check the image topic"
        result = self.last.result
        last = f"; the last: {result.detail}" if isinstance(result, NotLocalized) else ""
        reason = result.reason if isinstance(result, NotLocalized) else Reason.TIMEOUT
        return reason, f"none of {self.frames} images gave a pose within {self._timeout_s:.1f} s{last}"


class RescueDesk:
    """The open requests; ``on_success`` is called once for each that finds a pose."""

    def __init__(self, on_success: Callable[[Answer], None]):
        self._on_success = on_success
        self._open: list[Rescue] = []
        self._lock = threading.Lock()

    @property
    def is_open(self) -> bool:
        """Whether anybody waits for a pose."""
        with self._lock:
            self._open = [rescue for rescue in self._open if not rescue.done]
            return bool(self._open)

    def begin(self, timeout_s: float) -> Rescue:
        """Open a request."""
        rescue = Rescue(timeout_s)
        with self._lock:
            self._open.append(rescue)
        return rescue

    def close(self, rescue: Rescue) -> None:
        """Give up a request."""
        with self._lock:
            self._open = [other for other in self._open if other is not rescue]

    def see(self, answer: Answer) -> None:
        """Show an answer to every open request."""
        with self._lock:
            waiting, self._open = [r for r in self._open if not r.done], []
            for rescue in waiting:
                rescue.see(answer)
            self._open = [rescue for rescue in waiting if not rescue.done]
        if waiting and isinstance(answer.result, Localized):
            self._on_success(answer)
