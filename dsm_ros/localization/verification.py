"""Verification: accepts or rejects a pose by the cells that agree with it; a rejection names a number and its limit."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44, invert
from dsm_ros.localization.config import ConfidenceWeights, LocalizerConfig
from dsm_ros.localization.matching import MatchedImage
from dsm_ros.localization.result import Reason, Support
from dsm_ros.network.features import Scene
from dsm_ros.network.surface import seen_surface


@dataclass(frozen=True)
class CellCounts:
    """Cells that PnP took: how many, how many agree with the pose (inliers), and the same for the visible ones.

    A cell is visible when the map shows a surface there, seen from the pose.
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
class Accepted:
    """A pose that may be published, and its support."""

    map_T_rig: Pose44
    support: Support


@dataclass(frozen=True)
class Rejected:
    """Why a pose must not be published: the reason, the number that failed with its limit, and the pose's support."""

    reason: Reason
    detail: str
    support: Support


Verdict = Accepted | Rejected


def verify(images: Sequence[MatchedImage], config: LocalizerConfig) -> Verdict:
    """Return the verdict on the pose of an image, or on the pose that all images of a rig were given.

    The rules are about all images together. They count as many cells as for one image, the most confident of all: so
    limits mean the same for every rig, and a covered camera, which is confident of nothing, has no say.
    """
    counts = _sum(count_cells(image) for image in _most_confident(images, config.pnp_cells))
    keyframe_ids = tuple(dict.fromkeys(id for image in images for id in image.keyframe_ids))
    confidence = confidence_of(counts, config.confidence)
    support = Support(counts.inliers, counts.inlier_ratio, confidence, keyframe_ids, counts.visible_inlier_ratio)
    if counts.cells < config.min_inliers:
        detail = f"{counts.cells} cells matched the map, {config.min_inliers} are needed"
        return Rejected(Reason.TOO_FEW_CANDIDATES, detail, support)
    map_T_camera = images[0].estimate.map_T_camera
    if map_T_camera is None:
        return Rejected(Reason.NO_POSE, f"no pose agrees with the coordinates of {counts.cells} cells", support)
    accepted = Accepted(map_T_camera @ invert(images[0].view.rig_T_camera), support)
    return _lack_of_support(counts, support, config) or _far_from_map(images, support, config) or accepted


def count_cells(image: MatchedImage) -> CellCounts:
    """Return the counts of the correspondences of an image for its pose estimate."""
    correspondences, pnp = image.estimate.correspondences, image.estimate.pnp
    if pnp is None:
        return CellCounts(len(correspondences))
    visible_N = visible_cells(correspondences.pixels_N2, image.scene, image.query.camera, pnp.map_T_camera)
    agreeing = int(np.count_nonzero(pnp.inliers_N & visible_N))
    return CellCounts(len(correspondences), int(pnp.inliers_N.sum()), int(visible_N.sum()), agreeing)


def confidence_of(counts: CellCounts, weights: ConfidenceWeights) -> float:
    """Return the probability that a pose is within 10 cm and 5 degrees; 0 when nothing agrees with it.

    An image that overlaps little with the map has few inliers, but they are where the map is. A look-alike has as many,
    and around them the map shows what the image does not.
    """
    if not counts.inliers:
        return 0.0
    ratios = weights.inlier_ratio * counts.inlier_ratio + weights.visible_inlier_ratio * counts.visible_inlier_ratio
    return 1 / (1 + math.exp(-(weights.bias + ratios)))


def visible_cells(
    pixels_N2: NDArray[np.float64], scene: Scene, camera: Camera, map_T_camera: Pose44
) -> NDArray[np.bool_]:
    """Return which pixels of a camera at a pose lie in a cell that some point of the scene falls into, (N,).

    The scene's coarsest level has a point for each of its cells and asks no more of the image than its own cells.
    """
    height, width = scene.levels[0].valid_NHW.shape[1:]
    camera_T_local = invert(map_T_camera) @ scene.map_T_local
    visible_HW = seen_surface(scene.levels[0], camera, camera_T_local, height, width)[1].cpu().numpy()
    cell_px = np.array([camera.width_px / width, camera.height_px / height])
    columns_N, rows_N = np.floor((pixels_N2 + 0.5) / cell_px).astype(int).T
    return np.asarray(visible_HW[rows_N, columns_N])


def _most_confident(images: Sequence[MatchedImage], count: int) -> list[MatchedImage]:
    """Return images with no more than the ``count`` most confident correspondences of all of them together."""
    confidences = [image.estimate.correspondences.confidence_N for image in images]
    least = np.sort(np.concatenate(confidences))[-count:][:1]  # empty when no cell of any image was matched
    kept = [int((confidence_N >= least).sum()) for confidence_N in confidences]
    return [replace(image, estimate=image.estimate.first(k)) for image, k in zip(images, kept, strict=True)]


def _sum(parts: Iterable[CellCounts]) -> CellCounts:
    counts = [(part.cells, part.inliers, part.visible, part.visible_inliers) for part in parts]
    return CellCounts(*(sum(column) for column in zip(*counts, strict=True)))


def _lack_of_support(counts: CellCounts, support: Support, config: LocalizerConfig) -> Rejected | None:
    if counts.inliers < config.min_inliers:
        detail = f"{counts.inliers} of {counts.cells} cells agree, {config.min_inliers} are needed"
        return Rejected(Reason.TOO_FEW_INLIERS, detail, support)
    if support.confidence < config.min_confidence:
        ratios = f"{support.inlier_ratio:.2f} of the cells agree, of those that should see the map from there"
        below = f"confidence {support.confidence:.2f} is below {config.min_confidence:.2f}"
        return Rejected(Reason.LOW_CONFIDENCE, f"{below}: {ratios} {support.visible_inlier_ratio:.2f}", support)
    return None


def _far_from_map(images: Sequence[MatchedImage], support: Support, config: LocalizerConfig) -> Rejected | None:
    distance_m, limit_m = min(map(_keyframe_distance_m, images)), config.max_keyframe_distance_m
    if distance_m <= limit_m:
        return None
    detail = f"{distance_m:.1f} m from the nearest keyframe used, limit {limit_m:.1f} m"
    return Rejected(Reason.CONTRADICTS_MAP, detail, support)


def _keyframe_distance_m(image: MatchedImage) -> float:
    """Return how far a camera is from the nearest keyframe used; inf without a pose."""
    if (map_T_camera := image.estimate.map_T_camera) is None:
        return math.inf
    positions_K3 = np.array([keyframe.map_T_camera[:3, 3] for keyframe in image.keyframes])
    return float(np.linalg.norm(positions_K3 - map_T_camera[:3, 3], axis=1).min())
