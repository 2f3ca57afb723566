"""Plots of an evaluation, rendered without a display."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dsm_ros.evaluation.evaluate import Evaluation
from dsm_ros.evaluation.metrics import FrameScore
from dsm_ros.scene_map.scene_map import SceneMap

MAP_POINTS = 60_000
LIMITS_M = np.linspace(0, 0.5, 51)  # range of the plotted coordinate errors
TRUE_COLOR, ESTIMATE_COLOR, KEYFRAME_COLOR = "#1b9e77", "#d95f02", "#7570b3"


def save_plots(evaluation: Evaluation, scene_map: SceneMap, folder: Path) -> list[Path]:
    """Write plots of the trajectory from above, the error of each frame and the coordinate errors; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    scores = evaluation.scores
    figures = {"trajectory": new_figure(7, 7), "errors": new_figure(8, 4), "coordinates": new_figure(5, 4)}
    draw_top_view(figures["trajectory"].add_subplot(), scene_map, scores)
    _draw_errors(figures["errors"].add_subplot(), scores)
    draw_coordinate_errors(figures["coordinates"].add_subplot(), {"": all_coordinate_errors_m(scores)})
    return [save(figure, folder / f"{name}.png") for name, figure in figures.items()]


def new_figure(width_in: float, height_in: float) -> Figure:
    """Return an empty figure that renders without a display."""
    figure = Figure(figsize=(width_in, height_in), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def save(figure: Figure, path: Path) -> Path:
    """Write a figure as PNG and return its path."""
    figure.savefig(path, dpi=110)
    return path


def draw_top_view(axes: Axes, scene_map: SceneMap, scores: list[FrameScore]) -> None:
    """Draw map points, keyframes, true positions and estimated positions on the ground plane."""
    points_N3, colors_N3 = scene_map.points(MAP_POINTS)
    first, second = ground_axes(scene_map.poses_N44)
    axes.scatter(points_N3[:, first], points_N3[:, second], s=0.3, c=colors_N3 / 255.0, rasterized=True)
    keyframes_N3 = scene_map.poses_N44[:, :3, 3]
    axes.scatter(keyframes_N3[:, first], keyframes_N3[:, second], s=14, c=KEYFRAME_COLOR, marker="^", label="keyframes")
    true_N3 = np.stack([score.truth[:3, 3] for score in scores])
    axes.plot(true_N3[:, first], true_N3[:, second], c=TRUE_COLOR, lw=2, label="true")
    found = [score.map_T_camera[:3, 3] for score in scores if score.map_T_camera is not None]
    if found:
        found_N3 = np.stack(found)
        axes.scatter(found_N3[:, first], found_N3[:, second], s=8, c=ESTIMATE_COLOR, label="estimated", zorder=3)
    axes.set_aspect("equal")
    axes.set_xlabel(f"{'xyz'[first]} (m)")
    axes.set_ylabel(f"{'xyz'[second]} (m)")
    axes.legend(loc="upper right", markerscale=2)


def ground_axes(poses_N44: NDArray[np.float64]) -> tuple[int, int]:
    """Return the two map axes that span the ground, which exclude the axis nearest to the cameras' y (down) axes."""
    up = int(np.abs(poses_N44[:, :3, 1].mean(0)).argmax())
    first, second = (axis for axis in range(3) if axis != up)
    return first, second


def _draw_errors(axes: Axes, scores: list[FrameScore]) -> None:
    errors_cm = np.array([score.translation_m * 100 for score in scores])
    frames = np.arange(len(scores))
    axes.semilogy(frames, errors_cm, ".-", c=ESTIMATE_COLOR, lw=0.8)
    lost = ~np.isfinite(errors_cm)
    axes.plot(frames[lost], np.full(lost.sum(), 100), "x", c="black", label="not localized")
    axes.axhline(5, c=TRUE_COLOR, ls="--", label="5 cm")
    axes.set_xlabel("frame")
    axes.set_ylabel("translation error (cm)")
    axes.legend()


def all_coordinate_errors_m(scores: Sequence[FrameScore]) -> NDArray[np.float64]:
    """Return the coordinate errors of all cells of all frames, m."""
    return np.concatenate([score.coordinate_errors_m for score in scores])


def draw_coordinate_errors(axes: Axes, errors_of: Mapping[str, NDArray[np.float64]]) -> None:
    """Draw the share of cells below each coordinate error, a curve for each label."""
    for count, (label, errors_m) in enumerate(errors_of.items()):
        below = [100 * float((errors_m < limit_m).mean()) if len(errors_m) else 0 for limit_m in LIMITS_M]
        axes.plot(LIMITS_M * 100, below, ("-", "--")[count % 2], label=label)
    axes.set_xlabel("coordinate error (cm)")
    axes.set_ylabel("cells below (%)")
    axes.set_ylim(0, 100)
    axes.grid(alpha=0.3)
