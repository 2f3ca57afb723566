"""Tables of the figures of ``dsm bench``."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from dsm_ros.evaluation.bench_peers import MethodRow
from dsm_ros.evaluation.bench_sweep import SweepRow

WIDTH = 110  # of a table, even where the screen is said to be narrower: figures cut off are none
STAGES = ("encode", "retrieve", "match", "pnp", "total")


def print_sweep(rows: Sequence[SweepRow]) -> None:
    """Print time and memory for each setting."""
    where = f"{rows[0].runtime} on {rows[0].device}, {rows[0].threads} threads"
    table = _table(f"ms per image (medians), {where}", "keyframes", "N", "input", *STAGES, "per s", "MB", "GPU MB")
    for row in rows:
        times = [f"{row.ms_per_frame[stage]:.1f}" for stage in STAGES]
        memory = [_number(row.peak_rss_mb, 1, 0), _number(row.gpu_mb, 1, 0)]
        speed = f"{row.frames_per_second:.1f}"
        table.add_row(
            f"{row.keyframes:,}", str(row.scene_images), f"{row.width_px}x{row.height_px}", *times, speed, *memory
        )
    _print(table)


def print_peers(rows: Sequence[MethodRow]) -> None:
    """Print the figures of each method, or why it has none."""
    heads = ("ms (ratio)", "with retrieval", "localized", "error", "5 cm 5°", "wrong")
    table = _table("same images, keyframes and PnP; medians; wrong: by over 50 cm", "method", *heads)
    for row in rows:
        table.add_row(row.method, *_figures(row) if not row.reason else ["none"])
    reasons = [f"{row.method}: {row.reason}" for row in rows if row.reason]
    _print(table, *reasons)


def _figures(row: MethodRow) -> list[str]:
    return [
        f"{_number(row.ms_median, 1, 0)} ({_number(row.ratio, 1, 2)})",
        f"{_number(row.whole_ms_median, 1, 0)} ({_number(row.whole_ratio, 1, 2)})",
        f"{row.n_localized} of {row.n}",
        f"{_number(row.median_translation_m, 100, 1)} cm {_number(row.median_rotation_deg, 1, 1)}°",
        _number(row.recall_5cm_5deg, 100, 1) + " %",
        str(row.wrong_over_50cm),
    ]


def _number(value: float | None, factor: float, digits: int) -> str:
    return "" if value is None else f"{value * factor:.{digits}f}"


def _table(title: str, first: str, *heads: str) -> Table:
    table = Table(title=title, box=SIMPLE)
    table.add_column(first, no_wrap=True)
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    return table


def _print(table: Table, *lines: str) -> None:
    console = Console()
    console.width = max(console.width, WIDTH)
    console.print(table, *map(escape, lines), sep="\n", soft_wrap=False)
