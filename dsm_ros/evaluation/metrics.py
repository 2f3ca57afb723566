"""Errors of poses and coordinates against ground truth, and their summary over a sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsm_ros.datasets.frame import Frame
from dsm_ros.geometry.pose import Pose44, pose_error, transform
from dsm_ros.geometry.pose_covariance import difference
from dsm_ros.localization.result import Localized, Result, SceneCoordinates, StageTimes

WITHIN_M, GROSS_M = 0.10, 0.50  # maximum error of a right coordinate, minimum error of a wrong pose
CHI2_6_95 = 12.592  # 95 % quantile of the chi-squared distribution with six degrees of freedom


@dataclass(frozen=True)
class FrameScore:
    """Errors of one result against ground truth.

    translation_m, rotation_deg: errors of the pose, inf without a pose. coordinate_errors_m: errors of the cells with
    true depth, inf for a cell without a coordinate. confidences: confidences of the same cells. map_T_camera: the
    estimated pose. truth: the true pose. mahalanobis_squared: squared Mahalanobis distance of the pose error under the
    estimated covariance, inf without a pose.
    """

    stamp_ns: int
    translation_m: float
    rotation_deg: float
    coordinate_errors_m: NDArray[np.float64]
    confidences: NDArray[np.float64]
    times_ms: StageTimes
    map_T_camera: Pose44 | None
    truth: Pose44
    mahalanobis_squared: float = np.inf


def score_frame(frame: Frame, truth: Pose44, result: Result) -> FrameScore:
    """Return the errors of a result against the true pose and depth of its frame."""
    cells = coordinate_errors_m(frame, truth, result.coordinates)
    if not isinstance(result, Localized):
        return FrameScore(frame.stamp_ns, np.inf, np.inf, *cells, result.times_ms, None, truth)
    estimate = result.map_T_camera
    squared = mahalanobis_squared(estimate, truth, result.covariance_66)
    return FrameScore(frame.stamp_ns, *pose_error(estimate, truth), *cells, result.times_ms, estimate, truth, squared)


def mahalanobis_squared(estimate: Pose44, truth: Pose44, covariance_66: NDArray[np.float64]) -> float:
    """Return the squared Mahalanobis distance of a pose from the true pose.

    covariance_66: covariance of the pose (x y z rotX rotY rotZ; map frame; m, rad). With a correct covariance, 95 % of
    the squared distances are below 12.592, the quantile of a chi-squared distribution with 6 degrees of freedom.
    """
    error_6 = difference(estimate, truth)
    return float(error_6 @ np.linalg.solve(covariance_66, error_6))


def coordinate_errors_m(
    frame: Frame, truth: Pose44, coordinates: SceneCoordinates | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return errors (m) and confidences of the cells whose centres have true depth."""
    if coordinates is None or frame.depth_HW is None:
        return np.empty(0), np.empty(0)
    pixels_N2 = coordinates.pixels_HW2.reshape(-1, 2).astype(np.float64)
    u_N, v_N = np.rint(np.nan_to_num(pixels_N2, nan=-1)).astype(int).T
    height, width = frame.depth_HW.shape
    depth_N = np.zeros(len(pixels_N2))
    inside_N = (u_N >= 0) & (u_N < width) & (v_N >= 0) & (v_N < height)
    depth_N[inside_N] = frame.depth_HW[v_N[inside_N], u_N[inside_N]]
    known_N = depth_N > 0
    true_N3 = transform(truth, frame.camera.unproject(pixels_N2[known_N]) * depth_N[known_N, None])
    errors_N = np.linalg.norm(coordinates.coords_HW3.reshape(-1, 3)[known_N] - true_N3, axis=1)
    confidences_N = coordinates.confidence_HW.ravel()[known_N].astype(np.float64)
    return np.where(confidences_N > 0, errors_N, np.inf), confidences_N


def summarise(scores: Sequence[FrameScore]) -> dict[str, float | int | None]:
    """Return the metrics of a sequence; recalls are shares of all frames, medians are over localized frames."""
    localized = [score for score in scores if score.map_T_camera is not None]
    errors_N2 = np.array([(score.translation_m, score.rotation_deg) for score in scores])
    median_translation_m, median_rotation_deg = median_pose_errors(errors_N2)
    coordinate_errors = np.concatenate([score.coordinate_errors_m for score in scores])
    confidences = np.concatenate([score.confidences for score in scores])
    return {
        "n": len(scores),
        "n_localized": len(localized),
        "median_translation_m": median_translation_m,
        "median_rotation_deg": median_rotation_deg,
        "recall_5cm_5deg": recall(errors_N2, 0.05, 5.0),
        "recall_2cm_2deg": recall(errors_N2, 0.02, 2.0),
        "coordinate_median_m": _median(coordinate_errors),
        "coordinate_within_10cm": float((coordinate_errors < WITHIN_M).mean()) if len(coordinate_errors) else None,
        "confidence_auc": area_under_roc(confidences, coordinate_errors < WITHIN_M),
        "false_accepts_over_50cm": gross_errors(errors_N2),
        "covariance_coverage_95": covariance_coverage(localized),
    }


def covariance_coverage(localized: Sequence[FrameScore]) -> float | None:
    """Return the share of poses whose error lies inside the 95 % ellipsoid of their covariance, None without poses."""
    return float(np.mean([s.mahalanobis_squared < CHI2_6_95 for s in localized])) if localized else None


def recall(errors_N2: NDArray[np.float64], max_translation_m: float, max_rotation_deg: float) -> float:
    """Return the share of frames whose errors (m, degrees; inf without a pose) are below both limits."""
    return float((errors_N2 < (max_translation_m, max_rotation_deg)).all(axis=1).mean())


def median_pose_errors(errors_N2: NDArray[np.float64]) -> tuple[float | None, float | None]:
    """Return the median translation (m) and rotation (degrees) error of the frames with a pose, None without poses."""
    localized_L2 = errors_N2[np.isfinite(errors_N2).all(axis=1)]
    return _median(localized_L2[:, 0]), _median(localized_L2[:, 1])


def gross_errors(errors_N2: NDArray[np.float64]) -> int:
    """Return the number of poses that are wrong by over 50 cm."""
    return int((np.isfinite(errors_N2[:, 0]) & (errors_N2[:, 0] > GROSS_M)).sum())


def area_under_roc(scores_N: NDArray[np.float64], positive_N: NDArray[np.bool_]) -> float | None:
    """Return the probability that a positive scores above a negative (ties count half), None if one kind is missing."""
    positives, negatives = int(positive_N.sum()), int((~positive_N).sum())
    if not positives or not negatives:
        return None
    _, inverse, counts = np.unique(scores_N, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(counts) - (counts - 1) / 2
    rank_sum = mean_rank[inverse][positive_N].sum()
    return float((rank_sum - positives * (positives + 1) / 2) / (positives * negatives))


def _median(values: NDArray[np.float64]) -> float | None:
    median = float(np.median(values)) if len(values) else np.inf
    return median if np.isfinite(median) else None
