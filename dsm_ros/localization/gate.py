"""Whether a pose may leave the localizer: each rule says which number failed and its limit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.pnp import PnpResult
from dsm_ros.geometry.pose import Pose44
from dsm_ros.localization.attempt import Attempt
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.result import Reason
from dsm_ros.localization.sight import Sight
from dsm_ros.localization.visibility import seeing_cells


def is_supported(attempt: Attempt, config: LocalizerConfig) -> bool:
    """Return whether enough correspondences agree with the pose, in number and in share."""
    return _lack_of_support([attempt], config) is None


def reason_against(sights: Sequence[Sight], config: LocalizerConfig) -> tuple[Reason, str] | None:
    """Return why a pose must not be published, or None when it may.

    sights: of one camera, or of all cameras of a rig with the rig's pose; the rules are about them together.
    """
    lack = _lack_of_support([sight.attempt for sight in sights], config)
    placed = [(sight, sight.attempt.pnp) for sight in sights if sight.attempt.pnp]
    if lack or not placed:
        return lack
    distance_m = min(_keyframe_distance_m(sight, pnp.map_T_camera) for sight, pnp in placed)
    if distance_m > config.max_keyframe_distance_m:
        limit_m = config.max_keyframe_distance_m
        return Reason.CONTRADICTS_MAP, f"{distance_m:.1f} m from the nearest keyframe used, limit {limit_m:.1f} m"
    # An image that overlaps little with the map has few agreeing cells, but they are where the map is. A look-alike
    # has as many, and around them the map shows what the image does not.
    agrees_S = np.concatenate([_seeing_agrees(sight, pnp) for sight, pnp in placed])
    share = int(agrees_S.sum()) / max(1, len(agrees_S))
    if share < config.min_seeing_share:
        sentence = f"{share:.2f} of the cells that should see the map from there agree with it"
        return Reason.CONTRADICTS_MAP, f"{sentence}, limit {config.min_seeing_share:.2f}"
    return None


def _keyframe_distance_m(sight: Sight, map_T_camera: Pose44) -> float:
    """Return how far a camera is from the nearest keyframe used."""
    positions_N3 = np.array([keyframe.map_T_camera[:3, 3] for keyframe in sight.keyframes])
    return float(np.linalg.norm(positions_N3 - map_T_camera[:3, 3], axis=1).min())


def _seeing_agrees(sight: Sight, pnp: PnpResult) -> NDArray[np.bool_]:
    """Return, of the cells that should see the map, which agree with the pose."""
    return pnp.inliers_N[seeing_cells(sight.attempt.pixels_C2, sight.scene, sight.query.camera, pnp.map_T_camera)]


def _lack_of_support(attempts: Sequence[Attempt], config: LocalizerConfig) -> tuple[Reason, str] | None:
    cells = sum(len(attempt.points_C3) for attempt in attempts)
    inliers = sum(attempt.inliers for attempt in attempts)
    if cells < config.min_inliers:
        return Reason.TOO_FEW_CANDIDATES, f"{cells} cells matched the map, {config.min_inliers} are needed"
    if not any(attempt.pnp for attempt in attempts):
        return Reason.NO_POSE, f"no pose agrees with the coordinates of {cells} cells"
    if inliers < config.min_inliers:
        return Reason.TOO_FEW_INLIERS, f"{inliers} of {cells} cells agree, {config.min_inliers} are needed"
    if inliers / max(1, cells) < config.min_confidence:
        return Reason.LOW_CONFIDENCE, f"confidence {inliers / cells:.2f} is below {config.min_confidence:.2f}"
    return None
