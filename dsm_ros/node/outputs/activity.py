"""Counts, rates and latency of the images since the node was activated."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass

import numpy as np

from dsm_ros.localization.result import Reason
from dsm_ros.node.images.frame_report import FrameReport
from dsm_ros.node.images.image_pipeline import ImageCounts

SAMPLES = 6  # number of samples of the counts, one sample a second
LATENCIES = 50


@dataclass(frozen=True)
class Rates:
    """Rates of images and poses over the last seconds.

    images_hz: rate of received images. poses_hz: rate of accepted poses. dropped_ratio: share of the images that were
    replaced by a newer image before they were processed. failed: number of images that an internal error ended.
    """

    images_hz: float = 0.0
    poses_hz: float = 0.0
    dropped_ratio: float = 0.0
    failed: int = 0


@dataclass(frozen=True)
class _Sample:
    time_s: float
    received: int
    dropped: int
    localized: int
    failed: int


class Activity:
    """Counts, rates and latency of images.

    counts: updated by the pipeline. localized: number of accepted poses. last: report of the last image. rates: as of
    the last call of sample.
    """

    def __init__(self) -> None:
        self.last: FrameReport | None = None
        self.restart()

    def restart(self) -> ImageCounts:
        """Begin with new counts, and return them for a pipeline."""
        self.counts, self.localized, self.rates = ImageCounts(), 0, Rates()
        self._latencies_ms: deque[float] = deque(maxlen=LATENCIES)
        self._samples: deque[_Sample] = deque(maxlen=SAMPLES)
        return self.counts

    @property
    def latency_ms(self) -> float:
        """Median time from the arrival of an image to its result; 0 before the first image."""
        return float(np.median(self._latencies_ms)) if self._latencies_ms else 0.0

    def add(self, report: FrameReport) -> None:
        """Count the report of an image that is about to be published."""
        self.last = report
        self.localized += report.pose is not None
        if report.reason == Reason.INTERNAL_ERROR:
            self.counts.count_failed()
        self._latencies_ms.append((time.monotonic() - report.received_s) * 1e3)

    def sample(self, now_s: float) -> None:
        """Compute the rates; to be called once a second."""
        counts = self.counts
        self._samples.append(_Sample(now_s, counts.received, counts.dropped, self.localized, counts.failed))
        first, last = self._samples[0], self._samples[-1]
        if last.time_s > first.time_s:
            passed_s, received = last.time_s - first.time_s, last.received - first.received
            dropped_ratio = (last.dropped - first.dropped) / max(1, received)
            poses_hz = (last.localized - first.localized) / passed_s
            is_full = len(self._samples) == SAMPLES  # until then, all failures are from the last seconds
            older = first.failed if is_full else 0
            self.rates = Rates(received / passed_s, poses_hz, dropped_ratio, last.failed - older)
