"""Whether a pose may leave the localizer: each rule says which number failed and its limit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dsm_ros.geometry.camera import Camera
from dsm_ros.localization.attempt import Attempt
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.result import Reason
from dsm_ros.localization.visibility import seeing_cells
from dsm_ros.network.features import KeyframeFeatures, Scene


def is_supported(attempt: Attempt, config: LocalizerConfig) -> bool:
    """Return whether enough correspondences agree with the pose, in number and in share."""
    return _lack_of_support(attempt, config) is None


def reason_against(
    attempt: Attempt, keyframes: Sequence[KeyframeFeatures], scene: Scene, camera: Camera, config: LocalizerConfig
) -> tuple[Reason, str] | None:
    """Return why a pose must not be published, or None when it may.

    keyframes: those retrieved. scene: made of them alone. camera: at the network's input size.
    """
    lack = _lack_of_support(attempt, config)
    if lack or attempt.pnp is None:
        return lack
    position_3 = attempt.pnp.map_T_camera[:3, 3]
    distance_m = min(float(np.linalg.norm(keyframe.map_T_camera[:3, 3] - position_3)) for keyframe in keyframes)
    if distance_m > config.max_keyframe_distance_m:
        limit_m = config.max_keyframe_distance_m
        return Reason.CONTRADICTS_MAP, f"{distance_m:.1f} m from the nearest keyframe used, limit {limit_m:.1f} m"
    # An image that overlaps little with the map has few agreeing cells, but they are where the map is. A look-alike
    # has as many, and around them the map shows what the image does not.
    seeing_C = seeing_cells(attempt.pixels_C2, scene, camera, attempt.pnp.map_T_camera)
    share = int(attempt.pnp.inliers_N[seeing_C].sum()) / max(1, int(seeing_C.sum()))
    if share < config.min_seeing_share:
        sentence = f"{share:.2f} of the cells that should see the map from there agree with it"
        return Reason.CONTRADICTS_MAP, f"{sentence}, limit {config.min_seeing_share:.2f}"
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
