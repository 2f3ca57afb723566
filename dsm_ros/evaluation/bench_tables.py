"""Tables of the results of ``dsm bench``."""

from __future__ import annotations

from collections.abc import Sequence

from dsm_ros.evaluation.bench_peers import MethodRow
from dsm_ros.evaluation.bench_sweep import SweepRow
from dsm_ros.evaluation.tables import number, print_table
from dsm_ros.localization.result import STAGES


def print_sweep(rows: Sequence[SweepRow]) -> None:
    """Print the time and the memory of each benchmark setting."""
    where = f"{rows[0].device}, {rows[0].threads} threads"
    heads = ("map keyframes", "N", "input", "runtime", *STAGES, "images/s", "MB", "GPU MB")
    print_table(f"median ms per image, {where}", heads, [_setting(row) for row in rows])


def _setting(row: SweepRow) -> list[str]:
    times = [number(row.ms_per_frame[stage], 1) for stage in STAGES]
    memory = [number(row.peak_rss_mb, 0), number(row.gpu_mb, 0)]
    size = f"{row.width_px}x{row.height_px}"
    setting = [f"{row.map_keyframes:,}", str(row.keyframes), size, row.runtime]
    return [*setting, *times, number(row.frames_per_second, 1), *memory]


def print_peers(rows: Sequence[MethodRow], runtime: str) -> None:
    """Print the metrics of each method, or the reason why the method could not run.

    runtime: the library that ran the encoder of the first method.
    """
    title = "all methods use the same images, keyframes and PnP; medians; each ratio is relative to row 1"
    title += f", whose encoder ran in {runtime}; 'if localized' counts only the images that row 1 localizes"
    heads = (
        "method",
        "ms (ratio)",
        "+ retrieval",
        "if localized",
        "+ retrieval",
        "localized",
        "error",
        "5 cm 5°",
        "over 50 cm",
    )
    notes = [f"{row.method}: {row.reason}" for row in rows if row.reason]
    print_table(title, heads, [_method(row) for row in rows], notes)


def _method(row: MethodRow) -> list[str]:
    if row.reason:
        return [row.method, "none"]
    return [
        row.method,
        f"{number(row.ms_median, 0)} ({number(row.ratio, 2)})",
        f"{number(row.whole_ms_median, 0)} ({number(row.whole_ratio, 2)})",
        f"{number(row.localized_ms_median, 0)} ({number(row.localized_ratio, 2)})",
        f"{number(row.localized_whole_ms_median, 0)} ({number(row.localized_whole_ratio, 2)})",
        f"{row.n_localized} of {row.frames}",
        f"{number(row.median_translation_m, 1, 100)} cm {number(row.median_rotation_deg, 1)}°",
        f"{number(row.recall_5cm_5deg, 1, 100)} %",
        str(row.wrong_over_50cm),
    ]
