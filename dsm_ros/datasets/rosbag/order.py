"""The images of a bag in the order of their stamps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from statistics import median

from dsm_ros.datasets.rosbag.bag import Entry
from dsm_ros.errors import SequenceError
from dsm_ros.geometry.trajectory import NS_PER_S

LARGEST_STEP_BACK_NS = NS_PER_S
LATEST_SIMULATED_NS = 1_000_000 * NS_PER_S  # simulated time starts at 0, where a stamp of 0 is one as any other


@dataclass(frozen=True)
class Order:
    """Entries in the order of their stamps, each stamp once.

    has_stamps: False where every stamp is 0; entries then have the time of recording in its place. repeated, unstamped:
    how many messages were left out because they have the stamp of another one, or none.
    """

    entries: list[Entry]
    has_stamps: bool = True
    repeated: int = 0
    unstamped: int = 0

    @property
    def delay_s(self) -> float:
        """How long after their stamps messages were recorded, at the median."""
        return float(median(entry.bag_ns - entry.stamp_ns for entry in self.entries)) / NS_PER_S

    @classmethod
    def of(cls, entries: Sequence[Entry], topic: str) -> Order:
        """Return the order of a topic's entries, given as they were recorded.

        Raises SequenceError when the stamps jump back: then one stamp means several moments.
        """
        has_stamps = any(entry.stamp_ns for entry in entries)
        if not has_stamps:
            entries = [replace(entry, stamp_ns=entry.bag_ns) for entry in entries]
        first_ns = min((entry.stamp_ns for entry in entries if entry.stamp_ns), default=0)
        stamped = [entry for entry in entries if entry.stamp_ns or first_ns < LATEST_SIMULATED_NS]
        _refuse_steps_back(stamped, topic)
        ordered = sorted(stamped, key=lambda entry: entry.stamp_ns)
        once = [next(same) for _, same in groupby(ordered, key=lambda entry: entry.stamp_ns)]
        return cls(once, has_stamps, len(stamped) - len(once), len(entries) - len(stamped))


def _refuse_steps_back(entries: Sequence[Entry], topic: str) -> None:
    latest_ns = 0
    for place, entry in enumerate(entries):
        if entry.stamp_ns < latest_ns - LARGEST_STEP_BACK_NS:
            back_s = (latest_ns - entry.stamp_ns) / NS_PER_S
            raise SequenceError(
                f"the stamps of {topic} jump back by {back_s:.1f} s at message {place}: a bag or simulation began again"
                " while it was recorded; record each run in a bag of its own"
            )
        latest_ns = max(latest_ns, entry.stamp_ns)
