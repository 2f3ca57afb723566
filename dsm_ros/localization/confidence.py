"""How sure a pose is: the probability that it is right, from how much of the image agrees with it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dsm_ros.localization.config import ConfidenceWeights
from dsm_ros.localization.sight import Sight
from dsm_ros.localization.visibility import seeing_cells


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


def gather_evidence(sights: Sequence[Sight]) -> Evidence:
    """Return the evidence of one camera, or of all cameras of a rig with the rig's pose, together."""
    cells = sum(len(sight.attempt.points_C3) for sight in sights)
    seeing = inliers = seeing_inliers = 0
    for sight in sights:
        if (pnp := sight.attempt.pnp) is None:
            continue
        seeing_C = seeing_cells(sight.attempt.pixels_C2, sight.scene, sight.query.camera, pnp.map_T_camera)
        inliers += int(pnp.inliers_N.sum())
        seeing += int(seeing_C.sum())
        seeing_inliers += int(np.count_nonzero(pnp.inliers_N & seeing_C))
    return Evidence(cells, inliers, seeing, seeing_inliers)


def confidence_of(evidence: Evidence, weights: ConfidenceWeights) -> float:
    """Return the probability that a pose is within 10 cm and 5 degrees; 0 when nothing agrees with it.

    An image that overlaps little with the map has few agreeing cells, but they are where the map is. A look-alike has
    as many, and around them the map shows what the image does not.
    """
    if not evidence.inliers:
        return 0.0
    shares = weights.inlier_ratio * evidence.inlier_ratio + weights.seeing_share * evidence.seeing_share
    return 1 / (1 + math.exp(-(weights.bias + shares)))
