"""Whether a pose may leave the localizer: each rule says which number failed and its limit."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dsm_ros.geometry.pose import Pose44
from dsm_ros.localization.attempt import Attempt
from dsm_ros.localization.confidence import confidence_of
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.evidence import Evidence, together
from dsm_ros.localization.result import Reason, Support
from dsm_ros.localization.sight import Sight

Against = tuple[Reason, str] | None


def is_supported(attempt: Attempt, config: LocalizerConfig) -> bool:
    """Return whether enough correspondences agree with the pose for it to be worth a second look."""
    return attempt.pnp is not None and attempt.inliers >= config.min_inliers


def assess(sights: Sequence[Sight], config: LocalizerConfig) -> tuple[Support, Against]:
    """Return what speaks for a pose, and why it must not be published, or None when it may.

    sights: of one camera, or of all cameras of a rig with the rig's pose; the rules are about them together.
    """
    evidence = together(sight.evidence for sight in sights)
    keyframe_ids = tuple(dict.fromkeys(id for sight in sights for id in sight.keyframe_ids))
    confidence = confidence_of(evidence, config.confidence)
    support = Support(evidence.inliers, evidence.inlier_ratio, confidence, keyframe_ids, evidence.seeing_share)
    placed = [(sight, sight.attempt.pnp.map_T_camera) for sight in sights if sight.attempt.pnp]
    if not placed and evidence.cells >= config.min_inliers:
        return support, (Reason.NO_POSE, f"no pose agrees with the coordinates of {evidence.cells} cells")
    return support, _lack_of_support(evidence, support, config) or _far_from_map(placed, config)


def _lack_of_support(evidence: Evidence, support: Support, config: LocalizerConfig) -> Against:
    cells, inliers = evidence.cells, evidence.inliers
    if cells < config.min_inliers:
        return Reason.TOO_FEW_CANDIDATES, f"{cells} cells matched the map, {config.min_inliers} are needed"
    if inliers < config.min_inliers:
        return Reason.TOO_FEW_INLIERS, f"{inliers} of {cells} cells agree, {config.min_inliers} are needed"
    if support.confidence < config.min_confidence:
        shares = f"{support.inlier_ratio:.2f} of the cells agree, of those that should see the map from there"
        below = f"confidence {support.confidence:.2f} is below {config.min_confidence:.2f}"
        return Reason.LOW_CONFIDENCE, f"{below}: {shares} {support.seeing_share:.2f}"
    return None


def _far_from_map(placed: Sequence[tuple[Sight, Pose44]], config: LocalizerConfig) -> Against:
    distance_m = min(_keyframe_distance_m(sight, map_T_camera) for sight, map_T_camera in placed)
    if distance_m <= config.max_keyframe_distance_m:
        return None
    limit_m = config.max_keyframe_distance_m
    return Reason.CONTRADICTS_MAP, f"{distance_m:.1f} m from the nearest keyframe used, limit {limit_m:.1f} m"


def _keyframe_distance_m(sight: Sight, map_T_camera: Pose44) -> float:
    """Return how far a camera is from the nearest keyframe used."""
    positions_N3 = np.array([keyframe.map_T_camera[:3, 3] for keyframe in sight.keyframes])
    return float(np.linalg.norm(positions_N3 - map_T_camera[:3, 3], axis=1).min())
