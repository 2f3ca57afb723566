"""Stopwatch for the stages of the localization of an image."""

from __future__ import annotations

import time
from typing import Literal

from dsm_ros.localization.result import StageTimes

Stage = Literal["encode", "retrieve", "match", "pnp"]


class Stopwatch:
    """Stopwatch for the stages of one image; each lap ends a stage."""

    def __init__(self) -> None:
        self._start_s = self._last_s = time.perf_counter()
        self._stages_ms: dict[str, float] = {}

    def lap(self, stage: Stage) -> None:
        """Add the time since the last lap to a stage."""
        now_s = time.perf_counter()
        self._count(stage, (now_s - self._last_s) * 1e3)
        self._last_s = now_s

    def add(self, stage: Stage, ms: float) -> None:
        """Add time before the start to a stage and to the total time."""
        self._count(stage, ms)
        self._start_s -= ms / 1e3

    def times(self) -> StageTimes:
        """Return the times of the completed stages and the total time."""
        return StageTimes(**self._stages_ms, total=(time.perf_counter() - self._start_s) * 1e3)

    def _count(self, stage: Stage, ms: float) -> None:
        self._stages_ms[stage] = self._stages_ms.get(stage, 0.0) + ms
