"""The confidence of a pose, from counts alone."""

import pytest

from dsm_ros.localization.confidence import confidence_of
from dsm_ros.localization.config import ConfidenceWeights, LocalizerConfig
from dsm_ros.localization.evidence import Evidence

WEIGHTS = ConfidenceWeights()
LIMIT = LocalizerConfig().min_confidence


def of_shares(inlier_ratio, seeing_share):
    evidence = Evidence(1000, round(1000 * inlier_ratio), 500, round(500 * seeing_share))
    return confidence_of(evidence, WEIGHTS)


def test_shares_are_of_what_was_asked():
    evidence = Evidence(cells=1000, inliers=250, seeing=200, seeing_inliers=150)
    assert (evidence.inlier_ratio, evidence.seeing_share) == (0.25, 0.75)
    assert (Evidence().inlier_ratio, Evidence().seeing_share) == (0, 0)


def test_log_odds_are_the_weighted_shares():
    weights = ConfidenceWeights(bias=-2.0, inlier_ratio=1.0, seeing_share=2.0)
    assert confidence_of(Evidence(10, 10, 10, 5), weights) == pytest.approx(0.5)
    assert confidence_of(Evidence(10, 10, 10, 10), weights) == pytest.approx(0.7310586)


def test_nothing_that_agrees_is_no_confidence():
    assert confidence_of(Evidence(1000, 0, 500, 0), ConfidenceWeights(bias=3.0)) == 0


def test_more_agreement_is_more_confidence():
    grid = [0.1, 0.3, 0.5, 0.7, 0.9]
    for share in grid:
        for values in ([of_shares(share, other) for other in grid], [of_shares(other, share) for other in grid]):
            assert values == sorted(values)
            assert len(set(values)) == len(values)


def test_textured_places_pass_and_other_places_do_not():
    """Shares as measured in rendered rooms: right poses, partly mapped ones, the worst of other places."""
    assert of_shares(0.97, 0.97) > 0.99
    assert of_shares(0.25, 0.9) > LIMIT
    assert of_shares(0.07, 0.16) < 0.1
    assert of_shares(0.33, 0.34) < LIMIT
