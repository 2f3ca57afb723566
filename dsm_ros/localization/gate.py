"""Whether a pose may leave the localizer: each rule says which number failed and its limit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dsm_ros.geometry.pose import Pose44
from dsm_ros.localization.attempt import Attempt
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.result import Reason


def is_supported(attempt: Attempt, config: LocalizerConfig) -> bool:
    """Return whether enough correspondences agree with the pose, in number and in share."""
    return _lack_of_support(attempt, config) is None


def reason_against(
    attempt: Attempt, keyframe_poses: Sequence[Pose44], config: LocalizerConfig
) -> tuple[Reason, str] | None:
    """Return why a pose must not be published, or None when it may."""
    lack = _lack_of_support(attempt, config)
    if lack or attempt.pnp is None:
        return lack
    position_3 = attempt.pnp.map_T_camera[:3, 3]
    distance_m = min(float(np.linalg.norm(pose[:3, 3] - position_3)) for pose in keyframe_poses)
    if distance_m > config.max_keyframe_distance_m:
        limit_m = config.max_keyframe_distance_m
        return Reason.CONTRADICTS_MAP, f"{distance_m:.1f} m from the nearest keyframe used, limit {limit_m:.1f} m"
    return None


def _lack_of_support(attempt: Attempt, config: LocalizerConfig) -> tuple[Reason, str] | None:
    cells = len(attempt.points_C3)
    if cells < config.min_inliers:
        return Reason.TOO_FEW_CANDIDATES, f"{cells} cells matched the map, {config.min_inliers} are needed"
    if attempt.pnp is None:
        return Reason.NO_POSE, f"no pose agrees with the coordinates of {cells} cells"
    if attempt.inliers < config.min_inliers:
        return Reason.TOO_FEW_INLIERS, f"{attempt.inliers} of {cells} cells agree, {config.min_inliers} are needed"
    if attempt.inlier_ratio < config.min_confidence:
        return Reason.LOW_CONFIDENCE, f"confidence {attempt.inlier_ratio:.2f} is below {config.min_confidence:.2f}"
    return None
