"""Poses along time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.pose import Pose44, interpolate

MAX_GAP_NS = 100_000_000


@dataclass(frozen=True)
class StampedPoses:
    """Poses sorted by stamp (ns); between two no further than 0.1 s apart it interpolates."""

    stamps_ns: NDArray[np.int64]
    poses: Sequence[Pose44]

    def at(self, stamp_ns: int) -> Pose44 | None:
        """Return the pose at a stamp, None outside the trajectory or in a gap of it."""
        after = int(np.searchsorted(self.stamps_ns, stamp_ns))
        if after < len(self.poses) and self.stamps_ns[after] == stamp_ns:
            return self.poses[after]
        if not 0 < after < len(self.poses):
            return None
        start_ns, stop_ns = int(self.stamps_ns[after - 1]), int(self.stamps_ns[after])
        if stop_ns - start_ns > MAX_GAP_NS:
            return None
        fraction = (stamp_ns - start_ns) / (stop_ns - start_ns)
        return interpolate(self.poses[after - 1], self.poses[after], fraction)


def nearest_stamp(stamps_ns: NDArray[np.int64], stamp_ns: int, max_gap_ns: int) -> int | None:
    """Return the index of the stamp nearest to another one, None when none is near enough."""
    if not len(stamps_ns):
        return None
    after = int(np.searchsorted(stamps_ns, stamp_ns))
    best = min((i for i in (after - 1, after) if 0 <= i < len(stamps_ns)), key=lambda i: abs(stamps_ns[i] - stamp_ns))
    return best if abs(stamps_ns[best] - stamp_ns) <= max_gap_ns else None
