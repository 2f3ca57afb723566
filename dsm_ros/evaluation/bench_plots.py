"""Plots of the results of ``dsm bench``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib.axes import Axes

from dsm_ros.evaluation.bench_peers import MethodRow
from dsm_ros.evaluation.bench_sweep import SweepRow
from dsm_ros.evaluation.plots import new_figure, save
from dsm_ros.localization.result import STAGES

COLORS = ("#7570b3", "#e7298a", "#1b9e77", "#d95f02")  # colours of the stages
AXES: dict[str, Callable[[SweepRow], int]] = {
    "keyframes in the map": lambda row: row.map_keyframes,
    "keyframes matched (N)": lambda row: row.keyframes,
    "input width (px)": lambda row: row.width_px,
}


def plot_sweep(rows: Sequence[SweepRow], folder: Path) -> Path:
    """Write plots of the time of each stage against map size, N and resolution; return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    figure = new_figure(11, 4)
    drawn = figure.subplots(1, len(AXES), sharey=True)
    for axes, (label, value) in zip(drawn, AXES.items(), strict=True):
        _draw_stages(axes, _varied(rows, value), value)
        axes.set_xlabel(label)
    drawn[0].set_ylabel("ms per image")
    drawn[-1].legend()
    return save(figure, folder / "bench.png")


def _varied(rows: Sequence[SweepRow], value: Callable[[SweepRow], int]) -> list[SweepRow]:
    """Return the rows that differ only in one value, sorted by this value."""
    others = [read for read in AXES.values() if read is not value]
    groups: dict[tuple[int, ...], list[SweepRow]] = {}
    for row in rows:
        groups.setdefault(tuple(read(row) for read in others), []).append(row)
    most = max(len(group) for group in groups.values())
    return sorted(next(group for group in groups.values() if len(group) == most), key=value)


def _draw_stages(axes: Axes, rows: Sequence[SweepRow], value: Callable[[SweepRow], int]) -> None:
    places = range(len(rows))
    below = [0.0] * len(rows)
    for stage, color in zip(STAGES[:-1], COLORS, strict=True):
        times = [row.ms_per_frame[stage] for row in rows]
        axes.bar(places, times, bottom=below, color=color, label=stage)
        below = [a + b for a, b in zip(below, times, strict=True)]
    axes.set_xticks(places, [f"{value(row):,}" for row in rows])


def plot_peers(rows: Sequence[MethodRow], folder: Path) -> Path:
    """Write a plot of recall against time, with a point for each method that ran; return the file."""
    folder.mkdir(parents=True, exist_ok=True)
    figure = new_figure(6, 4)
    axes = figure.add_subplot()
    for row in rows:
        if row.ms_median is not None and row.recall_5cm_5deg is not None:
            axes.plot(row.ms_median, 100 * row.recall_5cm_5deg, "o", label=row.method)
    axes.set_xscale("log")
    axes.set_xlabel("ms per image (other methods: without retrieval)")
    axes.set_ylabel("within 5 cm and 5 degrees (%)")
    axes.set_ylim(0, 105)
    axes.legend()
    return save(figure, folder / "peers.png")
