"""Median and 95th percentile of times over many images."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from dsm_ros.evaluation.tables import number, print_table


@dataclass(frozen=True)
class TimingRow:
    """Median and 95th percentile of a time over images, ms, and the limit that the median should stay below."""

    name: str
    median_ms: float
    p95_ms: float
    limit_ms: float | None = None


def timing(name: str, times_ms: Sequence[float], limit_ms: float | None = None) -> TimingRow:
    """Return the median and the 95th percentile of at least one measured time."""
    median_ms, p95_ms = np.percentile(times_ms, (50, 95)).tolist()
    return TimingRow(name, median_ms, p95_ms, limit_ms)


def print_timings(title: str, timings: Iterable[TimingRow]) -> None:
    """Print a table of timings to stdout."""
    rows = [[row.name, number(row.median_ms, 1), number(row.p95_ms, 1), _limit(row)] for row in timings]
    print_table(title, ("ms per image", "median", "95 %", "limit"), rows)


def _limit(row: TimingRow) -> str:
    exceeded = row.limit_ms is not None and row.median_ms > row.limit_ms
    return number(row.limit_ms, 0) + (", exceeded" if exceeded else "")
