"""Fitting a probability and judging it, on numbers whose truth is known."""

import numpy as np
import pytest

from dsm_ros.evaluation.calibration import (
    Bin,
    calibration_error,
    fit_log_odds,
    plot_reliability,
    probabilities,
    reliability,
)

TRUE_WEIGHTS = np.array([-4.0, 3.0, 5.0])


@pytest.fixture(scope="module")
def poses():
    rng = np.random.default_rng(0)
    shares_NF = rng.uniform(0, 1, (20_000, 2))
    return shares_NF, rng.uniform(size=20_000) < probabilities(shares_NF, TRUE_WEIGHTS)


def test_the_weights_that_made_the_answers_are_found(poses):
    assert fit_log_odds(*poses, prior=0.01) == pytest.approx(TRUE_WEIGHTS, abs=0.25)


def test_true_probabilities_are_calibrated_and_overconfident_ones_are_not(poses):
    shares_NF, right_N = poses
    assert calibration_error(reliability(probabilities(shares_NF, TRUE_WEIGHTS), right_N)) < 0.015
    assert calibration_error(reliability(probabilities(shares_NF, 3 * TRUE_WEIGHTS), right_N)) > 0.05


def test_answers_that_shares_separate_entirely_leave_finite_weights():
    shares_NF = np.array([[0.1], [0.2], [0.8], [0.9]])
    weights_F = fit_log_odds(shares_NF, shares_NF[:, 0] > 0.5, prior=0.1)
    said_N = probabilities(shares_NF, weights_F)
    assert np.isfinite(weights_F).all()
    assert said_N[1] < 0.5 < said_N[2]


def test_bins_hold_every_pose_once_and_empty_ones_are_left_out():
    said_N = np.array([0.0, 0.05, 0.55, 1.0])
    bins = reliability(said_N, np.array([False, True, True, True]))
    assert bins == [Bin(2, 0.025, 0.5), Bin(1, 0.55, 1.0), Bin(1, 1.0, 1.0)]
    assert calibration_error(bins) == pytest.approx((2 * 0.475 + 0.45) / 4)


def test_the_plot_is_a_picture(tmp_path):
    path = plot_reliability({"one": [Bin(10, 0.1, 0.0), Bin(20, 0.9, 1.0)]}, tmp_path / "reliability.png")
    assert path.read_bytes().startswith(b"\x89PNG")
