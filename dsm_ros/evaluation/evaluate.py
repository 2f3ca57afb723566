"""Evaluation of a localizer on a sequence with ground truth."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace

import numpy as np

from dsm_ros.datasets.frame import Frame, FrameSequence
from dsm_ros.errors import ImageError, SequenceError
from dsm_ros.evaluation.memory import peak_rss_mb
from dsm_ros.evaluation.metrics import FrameScore, score_frame, summarise
from dsm_ros.localization.localizer import Localizer
from dsm_ros.localization.result import STAGES, Localized, NotLocalized, Result, StageTimes
from dsm_ros.localization.view import single_view


@dataclass(frozen=True)
class Evaluation:
    """The scores of the frames with ground truth, the metrics over all scores, and the counts of failure reasons."""

    scores: list[FrameScore]
    figures: dict[str, object]
    reasons: dict[str, int]


def evaluate(
    localizer: Localizer, sequence: FrameSequence, indices: range, on_frame: Callable[[int, int], None]
) -> Evaluation:
    """Localize frames and compare the results with the true poses; reading the frames is not timed.

    Frames without a true pose are localized and counted, but not scored. Raises SequenceError when no frame has a true
    pose.
    """
    require_truth(sequence, indices)
    scores: list[FrameScore] = []
    reasons: dict[str, int] = {}
    others, seconds = NotScored(), 0.0
    for count, frame in enumerate(_readable(sequence, indices), 1):
        on_frame(count, len(indices))
        if frame is None:
            others = replace(others, unreadable=others.unreadable + 1)
            continue
        start_s = time.perf_counter()
        result = localizer.localize(single_view(frame.image_HW3, frame.camera), frame.stamp_ns)
        if frame.map_T_camera is None:
            others = others.with_frame(result)
            continue
        seconds += time.perf_counter() - start_s
        scores.append(score_frame(frame, frame.map_T_camera, result))
        if isinstance(result, NotLocalized):
            reasons[result.reason] = reasons.get(result.reason, 0) + 1
    if not scores:
        raise SequenceError(f"no image of {sequence.name} with a true pose can be read; choose other --frames")
    return Evaluation(scores, {**_figures(localizer, scores, seconds), **others.figures()}, reasons)


def _readable(sequence: FrameSequence, indices: range) -> Iterator[Frame | None]:
    """Yield frames, and None in place of a frame whose image cannot be read."""
    for index in indices:
        try:
            yield sequence[index]
        except ImageError:
            yield None


@dataclass(frozen=True)
class NotScored:
    """Counts of frames without ground truth, of localized frames without ground truth, and of unreadable frames."""

    without_truth: int = 0
    localized: int = 0
    unreadable: int = 0

    def with_frame(self, result: Result) -> NotScored:
        """Return the counts with one more frame without a true pose."""
        localized = self.localized + isinstance(result, Localized)
        return replace(self, without_truth=self.without_truth + 1, localized=localized)

    def figures(self) -> dict[str, object]:
        """Return the counts by their keys in the JSON file."""
        return {
            "n_without_truth": self.without_truth,
            "n_without_truth_localized": self.localized,
            "n_unreadable": self.unreadable,
        }


def require_truth(sequence: FrameSequence, indices: range) -> None:
    """Raise SequenceError, with the most frequent reason, unless a frame has a true pose."""
    headers = [sequence.header(index) for index in indices]
    if any(header.map_T_camera is not None for header in headers):
        return
    reasons = Counter(lack for header in headers for lack in header.missing if "depth" not in lack)
    why = f" ({reasons.most_common(1)[0][0]})" if reasons else ""
    raise SequenceError(
        f"none of {len(headers)} frames of {sequence.name} has a true pose{why}; dsm evaluate needs ground truth"
    )


def _figures(localizer: Localizer, scores: list[FrameScore], seconds: float) -> dict[str, object]:
    network = localizer.network
    return {
        **summarise(scores),
        "ms_per_frame": median_times_ms([score.times_ms for score in scores]),
        "frames_per_second": len(scores) / seconds,
        "peak_rss_mb": peak_rss_mb(),
        "model": network.name,
        "runtime": network.runtime,
        "device": str(network.device),
    }


def median_times_ms(times: list[StageTimes]) -> dict[str, float]:
    """Return the median time of each stage over frames, ms."""
    rows = [asdict(row) for row in times]
    return {stage: float(np.median([row[stage] for row in rows])) for stage in STAGES}


def stage_times_ms(figures: Mapping[str, object]) -> dict[str, float]:
    """Return the median time of each stage in the metrics of an evaluation. Raises TypeError without stage times."""
    times = figures.get("ms_per_frame")
    if not isinstance(times, dict):
        raise TypeError("ms_per_frame must map each stage to its time")
    return times
