"""Pose estimates of one image, or of all images of a rig, by PnP on the most confident cells [paper 3.1; method 7]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.correspondences import Correspondences
from dsm_ros.geometry.pnp import refine_pnp, reprojection_errors, solve_pnp
from dsm_ros.geometry.pose import Pose44, invert, pose_error, transform
from dsm_ros.geometry.rig_pnp import refine_rig_pose, solve_rig_pnp
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.matching import MatchedImage


@dataclass(frozen=True)
class PoseEstimate:
    """The pose of a matched image, and the correspondences that verify this pose.

    correspondences: correspondences of the first match, most confident first. map_T_camera: None when no pose agrees
    with the correspondences. errors_N: the distance (px) of each pixel from the projection of its point. inliers_N:
    whether each error is below the inlier limit. is_supported: whether there are enough inliers for a guided match
    around the pose.
    """

    image: MatchedImage
    correspondences: Correspondences
    map_T_camera: Pose44 | None
    errors_N: NDArray[np.float64]
    inliers_N: NDArray[np.bool_]
    is_supported: bool


def is_inside_search(estimate: PoseEstimate) -> bool:
    """Return whether a pose is so near to the expected pose that the match around the expected pose can be trusted.

    If the camera moved farther, the right cells were outside the match. Cells of a repeated texture may then agree on a
    wrong pose. True for a match of the whole scene, and for a covered camera of a rig, which has no inliers.
    """
    image, map_T_camera = estimate.image, estimate.map_T_camera
    map_T_expected = image.area.map_T_expected
    if map_T_expected is None or map_T_camera is None or not estimate.inliers_N.any():
        return True
    distance_m, angle_deg = pose_error(map_T_camera, map_T_expected)
    points_N3 = transform(invert(map_T_camera), estimate.correspondences.points_N3[estimate.inliers_N])
    shift_px = image.query.camera.fx * (np.radians(angle_deg) + distance_m / np.median(points_N3[:, 2]))
    return bool(shift_px <= image.local_radius_px)


def estimate_pose(image: MatchedImage, config: LocalizerConfig) -> PoseEstimate:
    """Return the pose by RANSAC on the most confident cells, which is precise enough for a guided match."""
    found = image.cells.most_confident(config.pnp_cells)
    few = found.first(config.ransac_cells)
    map_T_camera = solve_pnp(few.pixels_N2, few.points_N3, few.camera, config.max_error_px)
    return evaluate_pose(image, found, map_T_camera, config)


def refine_estimate(first: PoseEstimate, config: LocalizerConfig) -> PoseEstimate:
    """Return a pose refined on more cells of the first match than RANSAC draws from."""
    found = first.correspondences
    return evaluate_pose(first.image, found, _refined(first.map_T_camera, found, config), config)


def reestimate_pose(first: PoseEstimate, guided: MatchedImage, config: LocalizerConfig) -> PoseEstimate:
    """Return the first pose refined on the cells of a guided match.

    The correspondences of the first match verify the refined pose, because the coordinates of a guided match were
    searched around the pose and therefore agree with the pose.
    """
    cells = guided.cells.most_confident(config.guided_pnp_cells)
    return evaluate_pose(guided, first.correspondences, _refined(first.map_T_camera, cells, config), config)


def estimate_rig_pose(estimates: Sequence[PoseEstimate], config: LocalizerConfig) -> list[PoseEstimate]:
    """Return the estimates of a rig's images with one common pose of the rig instead of separate poses of the cameras.

    The pose of the rig is the pose that most correspondences of all cameras agree with, refined on the cells of the
    guided matches. Raises DsmError without PoseLib, the only solver for rigs.
    """
    first = [estimate.correspondences for estimate in estimates]
    guided = [
        estimate.image.cells.most_confident(config.guided_pnp_cells)
        if estimate.is_supported
        else estimate.correspondences
        for estimate in estimates
    ]
    map_T_rig = solve_rig_pnp(first, config.max_error_px)
    if map_T_rig is not None:
        map_T_rig = refine_rig_pose(map_T_rig, guided, config.max_error_px)
    return [
        evaluate_pose(estimate.image, found, None if map_T_rig is None else map_T_rig @ found.rig_T_camera, config)
        for estimate, found in zip(estimates, first, strict=True)
    ]


def evaluate_pose(
    image: MatchedImage, correspondences: Correspondences, map_T_camera: Pose44 | None, config: LocalizerConfig
) -> PoseEstimate:
    """Return a pose with the reprojection error of each correspondence; the errors are inf without a pose."""
    errors_N = np.full(len(correspondences), np.inf)
    if map_T_camera is not None:
        pixels_N2, points_N3 = correspondences.pixels_N2, correspondences.points_N3
        errors_N = reprojection_errors(pixels_N2, points_N3, correspondences.camera, map_T_camera)
    inliers_N = errors_N < config.max_error_px
    is_supported = map_T_camera is not None and int(inliers_N.sum()) >= config.min_inliers
    return PoseEstimate(image, correspondences, map_T_camera, errors_N, inliers_N, is_supported)


def _refined(map_T_camera: Pose44 | None, on: Correspondences, config: LocalizerConfig) -> Pose44 | None:
    if map_T_camera is None:
        return None
    return refine_pnp(map_T_camera, on.pixels_N2, on.points_N3, on.camera, config.max_error_px)
