"""Wall time of the stages of one image."""

from __future__ import annotations

import time

from dsm_ros.localization.result import StageTimes


class Stopwatch:
    """Adds up the time between laps under the name of the stage that just ended."""

    def __init__(self) -> None:
        self._start_s = self._last_s = time.perf_counter()
        self._stages_ms: dict[str, float] = {}

    def lap(self, stage: str) -> None:
        """Book the time since the last lap under a stage of StageTimes."""
        now_s = time.perf_counter()
        self._stages_ms[stage] = self._stages_ms.get(stage, 0.0) + (now_s - self._last_s) * 1e3
        self._last_s = now_s

    def times(self) -> StageTimes:
        """Return the stages so far and the total."""
        return StageTimes(**self._stages_ms, total=(time.perf_counter() - self._start_s) * 1e3)
