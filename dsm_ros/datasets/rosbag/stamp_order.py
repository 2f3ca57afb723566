"""Ordering of a bag's images by header stamp."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from statistics import median

from dsm_ros.datasets.rosbag.bag import Entry
from dsm_ros.errors import SequenceError
from dsm_ros.geometry.trajectory import NS_PER_S

MAX_STEP_BACK_NS = NS_PER_S
LATEST_SIMULATED_NS = 1_000_000 * NS_PER_S  # simulated time starts at 0, where 0 is a valid stamp


@dataclass(frozen=True)
class StampOrder:
    """Entries in the order of their stamps, one entry per stamp.

    has_stamps: False when every stamp is 0; the time of recording then replaces the stamps. repeated: number of
    messages left out because their stamp occurs twice. unstamped: number of messages left out because they have no
    stamp.
    """

    entries: list[Entry]
    has_stamps: bool = True
    repeated: int = 0
    unstamped: int = 0

    @property
    def delay_s(self) -> float:
        """The median time (s) from stamp to recording."""
        return float(median(entry.bag_ns - entry.stamp_ns for entry in self.entries)) / NS_PER_S

    @classmethod
    def of(cls, entries: Sequence[Entry], topic: str) -> StampOrder:
        """Return the ordered entries of a topic; ``entries`` is in the order of recording.

        Raises SequenceError when the stamps jump back by more than a second, because stamps are then ambiguous.
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
    for index, entry in enumerate(entries):
        if entry.stamp_ns < latest_ns - MAX_STEP_BACK_NS:
            back_s = (latest_ns - entry.stamp_ns) / NS_PER_S
            raise SequenceError(
                f"the timestamps of {topic} jump back by {back_s:.1f} s at message {index}, because a bag or simulation"
                " was restarted during the recording; record each run in a separate bag"
            )
        latest_ns = max(latest_ns, entry.stamp_ns)
