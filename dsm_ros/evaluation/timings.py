"""Times over many images: median and 95th percentile, for people and programs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Timing:
    """Median and 95th percentile of a time over images, ms; limit_ms: what the median is to stay below."""

    name: str
    median_ms: float
    p95_ms: float
    limit_ms: float | None = None


def timing(name: str, times_ms: Sequence[float], limit_ms: float | None = None) -> Timing:
    """Return the figures of one time, measured at least once."""
    median_ms, p95_ms = np.percentile(times_ms, (50, 95)).tolist()
    return Timing(name, median_ms, p95_ms, limit_ms)


def print_timings(title: str, timings: Iterable[Timing]) -> None:
    """Print a table to stdout."""
    table = Table(title=title)
    for column in ("ms per image", "median", "95 %", "limit"):
        table.add_column(column, justify="left" if column == "ms per image" else "right")
    for row in timings:
        table.add_row(row.name, f"{row.median_ms:.1f}", f"{row.p95_ms:.1f}", _limit(row))
    Console().print(table)


def _limit(row: Timing) -> str:
    if row.limit_ms is None:
        return ""
    return f"{row.limit_ms:.0f}" if row.median_ms <= row.limit_ms else f"{row.limit_ms:.0f}: exceeded"
