"""Calibration of the confidence of poses: logistic regression, and comparison with the share of right poses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from dsm_ros.evaluation.plots import ESTIMATE_COLOR, TRUE_COLOR, new_figure, save

EDGES = (0.1, 0.3, 0.5, 0.7, 0.9)  # wide bins in the middle, because few poses have such a confidence
STEPS, MAX_STEP = 100, 5.0
SET_COLORS = (TRUE_COLOR, ESTIMATE_COLOR, "#7570b3", "#e7298a")


@dataclass(frozen=True)
class Bin:
    """A range of confidence, with the number of poses, their mean confidence, and the share of right poses."""

    count: int
    confidence: float
    right: float


def fit_log_odds(shares_NF: NDArray[np.float64], right_N: NDArray[np.bool_], prior: float) -> NDArray[np.float64]:
    """Return (bias, F weights) of the log odds of a right pose, fitted by logistic regression to ``right_N``.

    prior: inverse prior variance of the weights, which keeps the weights finite when the shares separate all right
    poses from all wrong poses.
    """
    inputs_NF = np.column_stack([np.ones(len(shares_NF)), shares_NF])
    weights_F = np.zeros(inputs_NF.shape[1])
    penalty_FF = prior * np.diag([0.0, *np.ones(shares_NF.shape[1])])
    for _ in range(STEPS):
        confidence_N = probabilities(shares_NF, weights_F)
        gradient_F = inputs_NF.T @ (right_N - confidence_N) - penalty_FF @ weights_F
        curvature_FF = (inputs_NF.T * (confidence_N * (1 - confidence_N))) @ inputs_NF + penalty_FF
        step_F = np.linalg.solve(curvature_FF, gradient_F)
        weights_F = weights_F + step_F * min(1.0, MAX_STEP / max(1e-12, float(np.linalg.norm(step_F))))
    return weights_F


def probabilities(shares_NF: NDArray[np.float64], weights_F: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the probability of a right pose for each row of shares; weights_F: the bias, then the weights."""
    return 1 / (1 + np.exp(-(weights_F[0] + shares_NF @ weights_F[1:])))


def reliability(confidence_N: NDArray[np.float64], right_N: NDArray[np.bool_]) -> list[Bin]:
    """Return the bins of confidence that contain poses, at most six."""
    bin_N = np.digitize(confidence_N, EDGES)
    groups = [bin_N == index for index in range(len(EDGES) + 1)]
    return [Bin(int(g.sum()), float(confidence_N[g].mean()), float(right_N[g].mean())) for g in groups if g.any()]


def calibration_error(bins: Sequence[Bin]) -> float:
    """Return the expected calibration error, the mean difference between confidence and share of right poses."""
    return sum(b.count * abs(b.confidence - b.right) for b in bins) / max(1, sum(b.count for b in bins))


def plot_reliability(sets: Mapping[str, Sequence[Bin]], path: Path) -> Path:
    """Write a plot of the share of right poses against confidence, and below it the number of poses, for each set."""
    figure = new_figure(6, 6)
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    above.plot([0, 1], [0, 1], c="black", lw=0.8, ls="--", label="perfect calibration")
    for (name, bins), color in zip(sets.items(), SET_COLORS, strict=False):
        _draw_set(above, below, name, bins, color)
    above.set_ylabel("share of right poses (10 cm, 5 degrees)")
    above.set_ylim(-0.03, 1.03)
    above.legend(loc="lower right")
    below.set_yscale("log")
    below.set_ylabel("poses")
    below.set_xlabel("confidence")
    return save(figure, path)


def _draw_set(above: Axes, below: Axes, name: str, bins: Sequence[Bin], color: str) -> None:
    confidences = [b.confidence for b in bins]
    low, high = zip(*(_likely_range(b) for b in bins), strict=True)
    total = sum(b.count for b in bins)
    above.plot(confidences, [b.right for b in bins], "o-", ms=4, lw=1, c=color, label=f"{name} ({total} poses)")
    above.vlines(confidences, low, high, colors=color, lw=1)
    below.plot(confidences, [b.count for b in bins], "o-", ms=4, lw=1, c=color)


def _likely_range(counted: Bin) -> tuple[float, float]:
    """Return the 68 % confidence interval of the share of right poses (Wilson's interval)."""
    n = counted.count
    middle = (counted.right + 0.5 / n) / (1 + 1 / n)
    half = float(np.sqrt(counted.right * (1 - counted.right) / n + 0.25 / n**2)) / (1 + 1 / n)
    return middle - half, middle + half
