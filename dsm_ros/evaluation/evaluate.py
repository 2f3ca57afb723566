"""Run a localizer over a sequence with ground truth."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields

import numpy as np

from dsm_ros.datasets.frame import Sequence
from dsm_ros.errors import SequenceError
from dsm_ros.evaluation.memory import peak_rss_mb
from dsm_ros.evaluation.metrics import FrameScore, score_frame, summarise
from dsm_ros.localization.localizer import Localizer
from dsm_ros.localization.result import NotLocalized, StageTimes
from dsm_ros.network.onnx_net import runtime_of


@dataclass(frozen=True)
class Evaluation:
    """The scores of all frames, the figures made of them, and how often each reason was given."""

    scores: list[FrameScore]
    figures: dict[str, object]
    reasons: dict[str, int]


def evaluate(
    localizer: Localizer, sequence: Sequence, indices: range, on_frame: Callable[[int, int], None]
) -> Evaluation:
    """Localize frames and compare with their true poses; reading the frames is not timed.

    Raises SequenceError when a frame has no true pose.
    """
    scores: list[FrameScore] = []
    reasons: dict[str, int] = {}
    seconds = 0.0
    for count, index in enumerate(indices, 1):
        frame = sequence[index]
        if frame.map_T_camera is None:
            raise SequenceError(
                f"frame {frame.name} has no true pose; evaluate a sequence with ground truth"
                " (a relocalizer's own answers in a bag are none)"
            )
        start_s = time.perf_counter()
        result = localizer.localize(frame.image_HW3, frame.camera, frame.stamp_ns)
        seconds += time.perf_counter() - start_s
        if isinstance(result, NotLocalized):
            reasons[result.reason] = reasons.get(result.reason, 0) + 1
        scores.append(score_frame(frame, frame.map_T_camera, result))
        on_frame(count, len(indices))
    return Evaluation(scores, _figures(localizer, scores, seconds), reasons)


def _figures(localizer: Localizer, scores: list[FrameScore], seconds: float) -> dict[str, object]:
    network = localizer.network
    return {
        **summarise(scores),
        "ms_per_frame": median_times_ms([score.times_ms for score in scores]),
        "frames_per_second": len(scores) / seconds,
        "peak_rss_mb": peak_rss_mb(),
        "model": network.name,
        "runtime": runtime_of(network),
        "device": str(network.device),
    }


def median_times_ms(times: list[StageTimes]) -> dict[str, float]:
    """Return the median of each stage over frames, ms."""
    rows = [asdict(row) for row in times]
    return {field.name: float(np.median([row[field.name] for row in rows])) for field in fields(StageTimes)}
