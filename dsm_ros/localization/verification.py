"""Verification: accepts or rejects a pose by the cells and patches that agree with the pose [method 9].

A rejection names the number that failed and the limit of that number.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44, invert
from dsm_ros.localization.config import ConfidenceWeights, LocalizerConfig
from dsm_ros.localization.covariance import pose_covariance, position_deviation_m
from dsm_ros.localization.pose_estimation import PoseEstimate
from dsm_ros.localization.result import Reason, Support
from dsm_ros.network.features import Scene
from dsm_ros.network.surface import grid_camera, visible_depths

IMPRECISE_M = 0.2  # standard deviation of a position at which found patches count half for the confidence


@dataclass(frozen=True)
class CellCounts:
    """Numbers of cells that verify a pose: all, inliers, visible cells, and inliers among the visible cells.

    A cell is visible when the map has a surface there, as seen from the pose.
    """

    cells: int = 0
    inliers: int = 0
    visible: int = 0
    visible_inliers: int = 0

    @property
    def inlier_ratio(self) -> float:
        """The share of the cells that agree with the pose."""
        return self.inliers / max(1, self.cells)

    @property
    def visible_inlier_ratio(self) -> float:
        """The share of the visible cells that agree with the pose."""
        return self.visible_inliers / max(1, self.visible)


@dataclass(frozen=True)
class CheckedPose:
    """A pose with enough inliers for verification, its support so far, and its ``PoseEstimate`` in each image.

    covariance_66: of the pose (x y z rotX rotY rotZ; map frame; m, rad).
    """

    map_T_rig: Pose44
    covariance_66: NDArray[np.float64]
    support: Support
    estimates: tuple[PoseEstimate, ...]


@dataclass(frozen=True)
class Accepted:
    """A pose that may be published, its support, and its ``PoseEstimate`` in each image.

    covariance_66: of the pose (x y z rotX rotY rotZ; map frame; m, rad).
    """

    map_T_rig: Pose44
    covariance_66: NDArray[np.float64]
    support: Support
    estimates: tuple[PoseEstimate, ...]


@dataclass(frozen=True)
class Rejected:
    """The reason why a pose must not be published, the number that failed with its limit, and the pose's support."""

    reason: Reason
    detail: str
    support: Support
    estimates: tuple[PoseEstimate, ...]


Verdict = Accepted | Rejected


def check(estimates: Sequence[PoseEstimate], config: LocalizerConfig) -> CheckedPose | Rejected:
    """Return the pose of an image, or the one pose of all images of a rig, if it has enough inliers.

    Only the most confident cells of all images together count, as many as for one image. The limits therefore have the
    same meaning for every rig, and the unconfident cells of a covered camera do not matter.
    """
    estimates = tuple(estimates)
    counts = _most_confident_counts(estimates, config.pnp_cells)
    support = _support(counts, estimates)

    def rejected(reason: Reason, detail: str) -> Rejected:
        return Rejected(reason, detail, support, estimates)

    if counts.cells < config.min_inliers:
        return rejected(
            Reason.TOO_FEW_CANDIDATES, f"{counts.cells} cells matched the map, min_inliers is {config.min_inliers}"
        )
    map_T_camera = estimates[0].map_T_camera
    if map_T_camera is None:
        return rejected(Reason.NO_POSE, f"no pose agrees with the coordinates of {counts.cells} cells")
    if counts.inliers < config.min_inliers:
        agree = f"{counts.inliers} of {counts.cells} cells agree with the pose"
        return rejected(Reason.TOO_FEW_INLIERS, f"{agree}, min_inliers is {config.min_inliers}")
    distance_m, limit_m = min(map(_keyframe_distance_m, estimates)), config.max_keyframe_distance_m
    if distance_m > limit_m:
        return rejected(
            Reason.CONTRADICTS_MAP,
            f"the pose is {distance_m:.1f} m from the nearest keyframe used, limit {limit_m:.1f} m",
        )
    map_T_rig = map_T_camera @ invert(estimates[0].image.view.rig_T_camera)
    covariance_66 = pose_covariance(estimates, map_T_rig, support.visible_inlier_ratio, config)
    return CheckedPose(map_T_rig, covariance_66, support, estimates)


def verify(pose: CheckedPose, config: LocalizerConfig) -> Verdict:
    """Return the verdict on a pose after its refinement."""
    deviation_m = position_deviation_m(pose.covariance_66)
    support = replace(pose.support, confidence=confidence_of(pose.support, deviation_m, config.confidence))
    if support.confidence < config.min_confidence:
        return Rejected(Reason.LOW_CONFIDENCE, _low_confidence(support, config), support, pose.estimates)
    return Accepted(pose.map_T_rig, pose.covariance_66, support, pose.estimates)


def count_cells(estimate: PoseEstimate, min_confidence: float = 0.0) -> CellCounts:
    """Return the counts of an estimate's correspondences above a minimum confidence."""
    counted_N = estimate.correspondences.confidence_N >= min_confidence
    cells, inliers_N = int(counted_N.sum()), estimate.inliers_N & counted_N
    if estimate.map_T_camera is None:
        return CellCounts(cells)
    image, pixels_N2 = estimate.image, estimate.correspondences.pixels_N2
    visible_N = counted_N & visible_cells(pixels_N2, image.scene, image.query.camera, estimate.map_T_camera)
    return CellCounts(cells, int(inliers_N.sum()), int(visible_N.sum()), int((inliers_N & visible_N).sum()))


def confidence_of(support: Support, deviation_m: float, weights: ConfidenceWeights) -> float:
    """Return the probability that a pose is within 10 cm and 5 degrees of the true pose; 0 without inliers.

    An image that overlaps little with the map has few inliers, but most of its visible cells are inliers. A similar
    place may give as many inliers, but the map contains other visible surfaces there, which the image contradicts. The
    patches of the keyframes are rarely found around a wrong pose. deviation_m: see ``position_deviation_m``.
    """
    if not support.inliers:
        return 0.0
    cells = weights.inlier_ratio * support.inlier_ratio + weights.visible_inlier_ratio * support.visible_inlier_ratio
    patches = weights.precise_ratio * precise_ratio(support.followed_ratio, deviation_m)
    return 1 / (1 + math.exp(-(weights.bias + cells + patches)))


def precise_ratio(followed_ratio: float, deviation_m: float) -> float:
    """Return the share of the patches that were found, reduced where the position is uncertain all the same."""
    return followed_ratio / (1 + deviation_m / IMPRECISE_M)


def visible_cells(
    pixels_N2: NDArray[np.float64], scene: Scene, camera: Camera, map_T_camera: Pose44
) -> NDArray[np.bool_]:
    """Return whether at least one point of the scene falls into the cell of each pixel of a camera at a pose, (N,).

    The cells are those of the scene's coarsest level. Finer cells would stay empty between the points of the coarsest
    level.
    """
    height, width = scene.levels[0].valid_NHW.shape[1:]
    camera_T_local = invert(map_T_camera) @ scene.map_T_local
    grid = grid_camera(scene.levels[0].coords_N3HW, camera, camera_T_local, height, width)
    visible_HW = visible_depths(scene.levels[0], grid).amin(0).isfinite().cpu().numpy()
    cell_px = np.array([camera.width_px / width, camera.height_px / height])
    columns_N, rows_N = np.floor((pixels_N2 + 0.5) / cell_px).astype(int).T
    return np.asarray(visible_HW[rows_N, columns_N])


def _most_confident_counts(estimates: Sequence[PoseEstimate], count: int) -> CellCounts:
    """Count inliers and visible cells among the ``count`` most confident correspondences of all images together."""
    confidence_M = np.sort(np.concatenate([estimate.correspondences.confidence_N for estimate in estimates]))
    least = float(confidence_M[-count:].min(initial=1.0))
    return _sum(count_cells(estimate, least) for estimate in estimates)


def _sum(parts: Iterable[CellCounts]) -> CellCounts:
    return CellCounts(*(sum(column) for column in zip(*map(astuple, parts), strict=True)))


def _support(counts: CellCounts, estimates: Sequence[PoseEstimate]) -> Support:
    keyframe_ids = tuple(dict.fromkeys(id for estimate in estimates for id in estimate.image.area.keyframe_ids))
    ratios = {"inlier_ratio": counts.inlier_ratio, "visible_inlier_ratio": counts.visible_inlier_ratio}
    return Support(inliers=counts.inliers, keyframe_ids=keyframe_ids, **ratios)


def _low_confidence(support: Support, config: LocalizerConfig) -> str:
    below = f"confidence {support.confidence:.2f} is below {config.min_confidence:.2f}"
    ratios = f"{support.inlier_ratio:.2f} of all cells agree with the pose, and of the visible cells"
    patches = f"{support.followed_ratio:.2f} of the patches were found"
    return f"{below}: {ratios} {support.visible_inlier_ratio:.2f}, and {patches}"


def _keyframe_distance_m(estimate: PoseEstimate) -> float:
    """Return the distance of a camera from the nearest keyframe used; inf without a pose."""
    if (map_T_camera := estimate.map_T_camera) is None:
        return math.inf
    positions_K3 = np.array([keyframe.map_T_camera[:3, 3] for keyframe in estimate.image.keyframes])
    return float(np.linalg.norm(positions_K3 - map_T_camera[:3, 3], axis=1).min())
