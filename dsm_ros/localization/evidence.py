"""What speaks for a pose and against it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Evidence:
    """What speaks for a pose and against it, counted over the cells given to PnP.

    cells: how many; inliers: those that agree with the pose; seeing: those that would see mapped surface from there;
    seeing_inliers: those of them that agree.
    """

    cells: int = 0
    inliers: int = 0
    seeing: int = 0
    seeing_inliers: int = 0

    @property
    def inlier_ratio(self) -> float:
        """The share of the cells that agree with the pose."""
        return self.inliers / max(1, self.cells)

    @property
    def seeing_share(self) -> float:
        """The share that agrees of those that would see the map from there."""
        return self.seeing_inliers / max(1, self.seeing)


def together(parts: Iterable[Evidence]) -> Evidence:
    """Return the evidence of all cameras of a rig with the rig's pose."""
    counts = [(part.cells, part.inliers, part.seeing, part.seeing_inliers) for part in parts]
    return Evidence(*(sum(column) for column in zip(*counts, strict=True)))
