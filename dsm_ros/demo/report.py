"""Table and picture of the demo's results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from dsm_ros.datasets.frame import Sequence
from dsm_ros.demo.recorder import Recording
from dsm_ros.evaluation.metrics import FrameScore, summarise
from dsm_ros.evaluation.plots import draw_top_view, new_figure, save
from dsm_ros.geometry.pose import pose_error
from dsm_ros.localization.localizer import Localizer
from dsm_ros.localization.result import STAGES, StageTimes
from dsm_ros.localization.view import single_view
from dsm_ros.messages.pose import stamp_ns_of
from dsm_ros.node.display.debug_image import coordinate_colors
from dsm_ros.scene_map.scene_map import SceneMap


@dataclass(frozen=True)
class Summary:
    """The demo's figures and the scores of the frames that the node processed."""

    scores: list[FrameScore]
    figures: dict[str, float | int | None]


def summarise_recording(
    recording: Recording, queries: Sequence, frames: range, on_progress: Callable[[int, int], None]
) -> Summary:
    """Compare the recorded poses with ground truth, by capture stamp."""
    processed = {stamp_ns_of(status.header.stamp) for _, status in recording.statuses}
    scores: list[FrameScore] = []
    for done, index in enumerate(frames, 1):
        frame = queries[index]
        stamp_ns = frame.stamp_ns + recording.shift_ns
        if stamp_ns in processed and frame.map_T_camera is not None:
            scores.append(_score(stamp_ns, frame.map_T_camera, recording))
        on_progress(done, len(frames))
    return Summary(scores, _figures(recording, scores, len(frames)))


def _score(stamp_ns: int, truth: np.ndarray, recording: Recording) -> FrameScore:
    estimate = recording.poses.get(stamp_ns)
    errors = pose_error(estimate, truth) if estimate is not None else (np.inf, np.inf)
    return FrameScore(stamp_ns, *errors, np.empty(0), np.empty(0), StageTimes(), estimate, truth)


def _figures(recording: Recording, scores: list[FrameScore], published: int) -> dict[str, float | int | None]:
    quality = summarise(scores) if scores else {}
    localized = quality.get("n_localized") or 0
    answered = [(time_s, status) for time_s, status in recording.statuses if stamp_ns_of(status.header.stamp)]
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


def print_table(summary: Summary) -> None:
    """Print the figures as a table."""
    f = summary.figures
    table = Table(title="dsm_ros demo", show_header=False)
    table.add_row("frames published", f"{f['frames_published']}")
    counts = f"{f['frames_processed']} / {f['frames_dropped']} / {f['frames_failed']}"
    table.add_row("processed / skipped / failed", counts)
    table.add_row("localized", f"{f['localized']} ({_scaled(f['localized_share'], 100)} % of processed)")
    table.add_row(
        "median error", f"{_scaled(f['median_translation_m'], 100)} cm, {_scaled(f['median_rotation_deg'])} degrees"
    )
    table.add_row("within 5 cm and 5 degrees", f"{_scaled(f['recall_5cm_5deg'], 100)} %")
    table.add_row("accepted but wrong by over 50 cm", f"{f['false_accepts_over_50cm']}")
    table.add_row("ms per stage", ", ".join(f"{stage} {_scaled(f[f'{stage}_ms'])}" for stage in STAGES))
    table.add_row("image to pose", f"{_scaled(f['latency_ms'])} ms")
    table.add_row("frames per second", _scaled(f["frames_per_second"]))
    Console().print(table)


def _scaled(value: float | None, factor: float = 1.0) -> str:
    return "none" if value is None else f"{value * factor:.1f}"


def save_picture(
    summary: Summary, scene_map: SceneMap, localizer: Localizer, queries: Sequence, frames: range, path: Path
) -> None:
    """Write the top view beside one query frame, its dense coordinates and their confidence."""
    frame = queries[frames[len(frames) // 2]]
    coordinates = localizer.localize(single_view(frame.image_HW3, frame.camera), frame.stamp_ns).coordinates
    figure = new_figure(13, 7)
    grid = figure.add_gridspec(3, 2, width_ratios=(2.2, 1))
    if summary.scores:
        draw_top_view(figure.add_subplot(grid[:, 0]), scene_map, summary.scores)
    images: list[tuple[str, np.ndarray, str | None]] = [("query image", frame.image_HW3, None)]
    if coordinates is not None:
        images += [("dense scene coordinates", coordinate_colors(coordinates), None)]
        images += [("confidence", coordinates.confidence_HW, "magma")]
    for row, (title, image, colors) in enumerate(images):
        _show(figure, grid[row, 1], title, image, colors)
    save(figure, path)


def _show(figure: Figure, place: object, title: str, image: np.ndarray, colors: str | None) -> None:
    axes = figure.add_subplot(place)  # type: ignore[call-overload]
    axes.imshow(image, cmap=colors)
    axes.set_title(title, fontsize=10)
    axes.set_axis_off()
