"""Busy and idle time of a device, and the gaps between its work items."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

GAP_LIMITS_US = (10.0, 100.0, 1000.0, float("inf"))
LARGEST = 10


@dataclass(frozen=True)
class Work:
    """One work item on a device, from start_us to end_us."""

    name: str
    start_us: float
    end_us: float


@dataclass(frozen=True)
class Gap:
    """A time without work, with the names of the work items before and after the gap."""

    length_us: float
    before: str
    after: str


@dataclass(frozen=True)
class BusyTime:
    """The time span from the start of the first to the end of the last work item, its busy part, and the gaps."""

    span_us: float
    busy_us: float
    gaps: tuple[Gap, ...]

    @property
    def idle_share(self) -> float:
        """The share of the time span in which the device is idle."""
        return 1 - self.busy_us / self.span_us if self.span_us else 0.0


def busy_time(works: Iterable[Work]) -> BusyTime:
    """Return the busy time and the gaps of a device; work items may overlap."""
    ordered = sorted(works, key=lambda work: work.start_us)
    if not ordered:
        return BusyTime(0.0, 0.0, ())
    last, gaps = ordered[0], []
    for work in ordered[1:]:
        if work.start_us > last.end_us:
            gaps.append(Gap(work.start_us - last.end_us, last.name, work.name))
        last = max(last, work, key=lambda piece: piece.end_us)
    span_us = last.end_us - ordered[0].start_us
    return BusyTime(span_us, span_us - sum(gap.length_us for gap in gaps), tuple(gaps))


def gap_lines(gaps: Sequence[Gap]) -> list[str]:
    """Return lines of text that count the gaps by length and name the largest gaps."""
    lines, lower_us = [], 0.0
    for upper_us in GAP_LIMITS_US:
        lengths_us = [gap.length_us for gap in gaps if lower_us < gap.length_us <= upper_us]
        lines.append(f"gaps up to {upper_us:g} us: {len(lengths_us)}, {sum(lengths_us) / 1e3:.2f} ms in total")
        lower_us = upper_us
    largest = sorted(gaps, key=lambda gap: -gap.length_us)[:LARGEST]
    return lines + [f"{gap.length_us / 1e3:8.3f} ms between {gap.before[:60]} and {gap.after[:60]}" for gap in largest]
