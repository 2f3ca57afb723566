"""How sure a pose is: the probability that it is right, from how much of the image agrees with it."""

from __future__ import annotations

import math

from dsm_ros.localization.config import ConfidenceWeights
from dsm_ros.localization.evidence import Evidence


def confidence_of(evidence: Evidence, weights: ConfidenceWeights) -> float:
    """Return the probability that a pose is within 10 cm and 5 degrees; 0 when nothing agrees with it.

    An image that overlaps little with the map has few agreeing cells, but they are where the map is. A look-alike has
    as many, and around them the map shows what the image does not.
    """
    if not evidence.inliers:
        return 0.0
    shares = weights.inlier_ratio * evidence.inlier_ratio + weights.seeing_share * evidence.seeing_share
    return 1 / (1 + math.exp(-(weights.bias + shares)))
