"""Requests for a pose by the action, the trigger or the watch; each request ends with a pose or a reason."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from dsm_ros.localization.result import Reason
from dsm_ros.node.images.frame_report import FrameReport


@dataclass(frozen=True)
class Failure:
    """End of a request without a pose: a machine-readable reason and a sentence."""

    reason: str
    detail: str


class Listener(Protocol):
    """Receiver of the progress of one request. Any thread may call its methods."""

    @property
    def is_canceled(self) -> bool:
        """Whether the client does not want the pose any more."""

    def on_image(self, request: RescueRequest, report: FrameReport) -> None:
        """Receive the report of an image."""

    def on_end(self, request: RescueRequest, outcome: FrameReport | Failure) -> None:
        """Receive the report with a pose, or the reason for failure. Called exactly once."""


class RescueRequest:
    """A request for a pose.

    frames: number of images processed so far. opened_s, now_s: times of the same clock. listener: may be None.
    """

    def __init__(self, timeout_s: float, opened_s: float, listener: Listener | None = None):
        self.frames = 0
        self.listener = listener
        self._last: FrameReport | None = None
        self._timeout_s, self._opened_s = timeout_s, opened_s
        self._is_started = False

    def start(self) -> None:
        """Count reports from now on. An image whose processing began before the request does not count."""
        self._is_started = True

    def add(self, report: FrameReport) -> bool:
        """Count the report of an image; return whether the request had been started."""
        if self._is_started:
            self.frames, self._last = self.frames + 1, report
        return self._is_started

    def remaining_s(self, now_s: float) -> float:
        """Return the time until the timeout. The time starts again if the clock was set back."""
        self._opened_s = min(self._opened_s, now_s)
        return max(0.0, self._opened_s + self._timeout_s - now_s)

    def timeout_failure(self) -> Failure:
        """Return why the request found no pose before the timeout."""
        if self._last is None:
            detail = f"no image was processed within {self._timeout_s:.1f} s; check the image topic"
            return Failure(str(Reason.TIMEOUT), detail)
        last = f"; the last image: {self._last.detail}" if self._last.detail else ""
        detail = f"none of {self.frames} images gave a pose within {self._timeout_s:.1f} s{last}"
        return Failure(self._last.reason or str(Reason.TIMEOUT), detail)


class RescueRequests:
    """The open requests. No method waits; listeners are called without a lock.

    clock: returns the time (s). on_success: called with the report of each pose that ends a request.
    """

    def __init__(self, clock: Callable[[], float], on_success: Callable[[FrameReport], None] | None = None):
        self._clock, self._on_success = clock, on_success
        self._refusal: Failure | None = None
        self._open: list[RescueRequest] = []
        self._lock = threading.Lock()

    @property
    def any_open(self) -> bool:
        """Whether a request waits for a pose."""
        return bool(self._open)

    @property
    def refusal(self) -> Failure | None:
        """The reason why new requests are refused; None while requests are accepted."""
        return self._refusal

    def open(self, timeout_s: float, listener: Listener | None = None) -> RescueRequest:
        """Open a request, which counts images only after its start; it ends at once while requests are refused."""
        request = RescueRequest(timeout_s, self._clock(), listener)
        with self._lock:
            self._open.append(request)
        if self._refusal:
            self._end(request, self._refusal)
        return request

    def remaining_s(self, request: RescueRequest) -> float:
        """Return the time until the timeout of a request."""
        return request.remaining_s(self._clock())

    def deliver(self, report: FrameReport) -> None:
        """Give the report of an image to every request that has been started; a pose ends these requests."""
        counting = [request for request in self._listed() if request.add(report)]
        is_pose = report.pose is not None
        for request in counting:
            if request.listener:
                request.listener.on_image(request, report)
            if is_pose:
                self._end(request, report)
        if counting and is_pose and self._on_success:
            self._on_success(report)

    def check(self) -> None:
        """End the requests that were canceled or have reached their timeout."""
        now_s = self._clock()
        for request in self._listed():
            if request.listener and request.listener.is_canceled:
                self._end(request, Failure("canceled", f"canceled after {request.frames} images"))
            elif request.remaining_s(now_s) == 0:
                self._end(request, request.timeout_failure())

    def accept(self) -> None:
        """Accept requests from now on."""
        self._refusal = None

    def refuse(self, failure: Failure) -> None:
        """End all requests, and refuse new requests, with the same reason."""
        self._refusal = failure
        for request in self._listed():
            self._end(request, failure)

    def _listed(self) -> list[RescueRequest]:
        with self._lock:
            return list(self._open)

    def _end(self, request: RescueRequest, outcome: FrameReport | Failure) -> None:
        with self._lock:
            if request not in self._open:  # another thread ended the request
                return
            self._open.remove(request)
        if request.listener:
            request.listener.on_end(request, outcome)
