"""Errors of the recorded poses against ground truth, and the table that the demo prints."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from rich.table import Table

from dsm_ros.datasets.frame import FrameSequence
from dsm_ros.demo.recorder import Recording
from dsm_ros.evaluation.metrics import FrameScore, summarise
from dsm_ros.evaluation.tables import number, print_whole
from dsm_ros.geometry.pose import pose_error
from dsm_ros.localization.result import STAGES, StageTimes
from dsm_ros.messages.pose import stamp_ns_of
from dsm_ros.msg import RelocalizationStatus


@dataclass(frozen=True)
class Summary:
    """Results of the demo.

    scored: the score and the sequence index of each frame that the node processed. truth_P3: true positions of all
    frames (m, map frame).
    """

    scored: list[tuple[FrameScore, int]]
    truth_P3: NDArray[np.float64]
    figures: dict[str, float | int | None]

    @property
    def localized(self) -> list[tuple[FrameScore, int]]:
        """The scored frames with a pose."""
        return [(score, index) for score, index in self.scored if score.map_T_camera is not None]


def summarise_recording(recording: Recording, queries: FrameSequence, frames: range) -> Summary:
    """Compare the recorded poses with the ground truth of the same timestamps."""
    processed = {stamp_ns_of(status.header.stamp) for _, status in recording.statuses}
    scored: list[tuple[FrameScore, int]] = []
    headers = {index: queries.header(index) for index in frames}
    for index, header in headers.items():
        stamp_ns = header.stamp_ns + recording.shift_ns
        if stamp_ns in processed and header.map_T_camera is not None:
            scored.append((_score(stamp_ns, header.map_T_camera, recording), index))
    truth = [header.map_T_camera[:3, 3] for header in headers.values() if header.map_T_camera is not None]
    return Summary(scored, np.reshape(truth, (-1, 3)), _figures(recording, [score for score, _ in scored], len(frames)))


def _score(stamp_ns: int, truth: np.ndarray, recording: Recording) -> FrameScore:
    estimate = recording.poses.get(stamp_ns)
    errors = pose_error(estimate, truth) if estimate is not None else (np.inf, np.inf)
    return FrameScore(stamp_ns, *errors, np.empty(0), np.empty(0), StageTimes(), estimate, truth)


def _figures(recording: Recording, scores: list[FrameScore], published: int) -> dict[str, float | int | None]:
    quality = summarise(scores) if scores else {}
    localized = quality.get("n_localized") or 0
    answered = _of_images(recording)
    span_s = answered[-1][0] - answered[0][0] if len(answered) > 1 else None
    messages = [status for _, status in answered]
    failed = messages[-1].frames_failed if messages else 0
    return {
        "frames_published": published,
        "frames_processed": len(scores),
        "frames_dropped": published - len(scores) - failed,
        "frames_failed": failed,
        "localized": localized,
        "localized_share": localized / len(scores) if scores else None,
        **{name: quality.get(name) for name in ("median_translation_m", "median_rotation_deg", "recall_5cm_5deg")},
        "false_accepts_over_50cm": quality.get("false_accepts_over_50cm", 0),
        **{f"{stage}_ms": float(np.median([getattr(m, f"{stage}_ms") for m in messages] or [0])) for stage in STAGES},
        "latency_ms": float(np.median([m.latency_ms for m in messages] or [0])),
        "frames_per_second": (len(messages) - 1) / span_s if span_s else None,
    }


def _of_images(recording: Recording) -> list[tuple[float, RelocalizationStatus]]:
    """Return the first status of each timestamp; a repeated timestamp, or none, is a report of missing images."""
    first: dict[int, tuple[float, RelocalizationStatus]] = {}
    for time_s, status in recording.statuses:
        if stamp_ns := stamp_ns_of(status.header.stamp):
            first.setdefault(stamp_ns, (time_s, status))
    return list(first.values())


def print_table(summary: Summary) -> None:
    """Print the metrics of the demo as a table."""
    f = summary.figures
    table = Table(title="dsm_ros demo", show_header=False)
    table.add_row("frames published", f"{f['frames_published']}")
    counts = f"{f['frames_processed']} / {f['frames_dropped']} / {f['frames_failed']}"
    table.add_row("processed / skipped / failed", counts)
    table.add_row("localized", f"{f['localized']} ({_text(f['localized_share'], 100)} % of processed)")
    table.add_row(
        "median error", f"{_text(f['median_translation_m'], 100)} cm, {_text(f['median_rotation_deg'])} degrees"
    )
    table.add_row("within 5 cm and 5 degrees", f"{_text(f['recall_5cm_5deg'], 100)} %")
    table.add_row("accepted but wrong by over 50 cm", f"{f['false_accepts_over_50cm']}")
    table.add_row("ms per stage", ", ".join(f"{stage} {_text(f[f'{stage}_ms'])}" for stage in STAGES))
    table.add_row("image to pose", f"{_text(f['latency_ms'])} ms")
    table.add_row("frames per second", _text(f["frames_per_second"]))
    print_whole(table)


def _text(value: float | None, factor: float = 1.0) -> str:
    return number(value, 1, factor, missing="none")
