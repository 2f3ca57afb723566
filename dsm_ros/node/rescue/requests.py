"""Requests for a pose by the action, the trigger or the watch; each request ends with a pose or a reason."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from dsm_ros.localization.result import Localized, NotLocalized, Reason
from dsm_ros.node.images.frame_report import FrameReport


class RescueRequest:
    """One request. The worker's thread adds reports of images, and another thread waits for the reports.

    frames: number of reports so far. found: the report with a pose. last: the newest report.
    """

    def __init__(self, timeout_s: float):
        self.frames = 0
        self.found: FrameReport | None = None
        self.last: FrameReport | None = None
        self._timeout_s = timeout_s
        self._deadline_s = time.monotonic() + timeout_s
        self._added = threading.Condition()

    @property
    def remaining_s(self) -> float:
        """Time until the request ends."""
        return max(0.0, self._deadline_s - time.monotonic())

    @property
    def done(self) -> bool:
        """Whether there is a pose, or no time left."""
        return self.found is not None or self.remaining_s == 0

    def add(self, report: FrameReport) -> None:
        """Add the report of an image that was processed after the request was opened."""
        with self._added:
            self.frames, self.last = self.frames + 1, report
            if isinstance(report.result, Localized):
                self.found = report
            self._added.notify_all()

    def wait(self, frames: int, longest_s: float) -> None:
        """Wait until there are more than ``frames`` reports, at most longest_s or until the request ends."""
        with self._added:
            self._added.wait_for(lambda: self.frames > frames, min(longest_s, self.remaining_s))

    def failure(self) -> tuple[str, str]:
        """Return reason and detail of a request without a pose."""
        if self.last is None:
            return Reason.TIMEOUT, f"no image was processed within {self._timeout_s:.1f} s; check the image topic"
        result = self.last.result
        last = f"; the last image: {result.detail}" if isinstance(result, NotLocalized) else ""
        reason = result.reason if isinstance(result, NotLocalized) else Reason.TIMEOUT
        return reason, f"none of {self.frames} images gave a pose within {self._timeout_s:.1f} s{last}"


class RescueRequests:
    """The open requests.

    on_success: called with each report of a pose that ends a request.
    """

    def __init__(self, on_success: Callable[[FrameReport], None] | None):
        self._on_success = on_success
        self._open: list[RescueRequest] = []
        self._lock = threading.Lock()

    @property
    def any_open(self) -> bool:
        """Whether a request still waits for a pose."""
        with self._lock:
            self._open = [request for request in self._open if not request.done]
            return bool(self._open)

    def open(self, timeout_s: float) -> RescueRequest:
        """Open a request."""
        request = RescueRequest(timeout_s)
        with self._lock:
            self._open.append(request)
        return request

    def close(self, request: RescueRequest) -> None:
        """End a request early."""
        with self._lock:
            self._open = [other for other in self._open if other is not request]

    def deliver(self, report: FrameReport) -> None:
        """Add a report to every open request."""
        with self._lock:
            waiting, self._open = [request for request in self._open if not request.done], []
            for request in waiting:
                request.add(report)
            self._open = [request for request in waiting if not request.done]
        if waiting and self._on_success and isinstance(report.result, Localized):
            self._on_success(report)
