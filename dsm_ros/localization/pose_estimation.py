"""Pose estimates: PnP on the most confident correspondences of one image, and of all images of a rig [paper 3.1]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.correspondences import Correspondences
from dsm_ros.geometry.pnp import PnpResult, refine_pnp, reprojection_errors, solve_pnp
from dsm_ros.geometry.pose import Pose44, transform
from dsm_ros.geometry.rig_pnp import refine_rig_pose, solve_rig_pnp
from dsm_ros.geometry.sampling import cell_centres
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.network.dsm_net import DenseMatch
from dsm_ros.network.features import Scene


@dataclass(frozen=True)
class PoseEstimate:
    """A pose and the correspondences that it is judged by; ``pnp.inliers_N`` is over them, None without a pose."""

    correspondences: Correspondences
    pnp: PnpResult | None

    @property
    def map_T_camera(self) -> Pose44 | None:
        """The pose of the camera, or None when no pose agrees with the correspondences."""
        return self.pnp.map_T_camera if self.pnp else None

    @property
    def inlier_count(self) -> int:
        """How many correspondences agree with the pose."""
        return int(self.pnp.inliers_N.sum()) if self.pnp else 0

    def is_supported(self, config: LocalizerConfig) -> bool:
        """Return whether enough correspondences agree with the pose for a guided match around it."""
        return self.pnp is not None and self.inlier_count >= config.min_inliers

    def first(self, count: int) -> PoseEstimate:
        """Return the pose with the ``count`` most confident correspondences to judge it by."""
        pnp = self.pnp and replace(self.pnp, inliers_N=self.pnp.inliers_N[:count], errors_N=self.pnp.errors_N[:count])
        return PoseEstimate(self.correspondences.first(count), pnp)

    @property
    def inlier_points_N3(self) -> NDArray[np.float64]:
        """The points that agree with the pose, metres, map frame."""
        return self.correspondences.points_N3[self.pnp.inliers_N] if self.pnp else np.empty((0, 3))

    @property
    def inlier_errors_N(self) -> NDArray[np.float64]:
        """The reprojection errors of the inliers, px at the network's input size."""
        return self.pnp.errors_N[self.pnp.inliers_N] if self.pnp else np.empty(0)


def most_confident_cells(
    match: DenseMatch, scene: Scene, camera: Camera, rig_T_camera: Pose44, count: int
) -> Correspondences:
    """Return the correspondences of up to ``count`` cells of a dense match, the most confident first.

    scene: that was matched. camera: the pinhole at the network's input size.
    """
    height, width = match.confidence_HW.shape
    confidence_P = match.confidence_HW.flatten().cpu()
    kept = min(count, int((confidence_P > 0).sum()))
    confidence_N, chosen_N = (values.numpy() for values in confidence_P.topk(kept))
    points_P3 = transform(scene.map_T_local, match.coords_HW3.flatten(0, 1).cpu().numpy())
    pixels_P2 = cell_centres(width, height, camera.width_px, camera.height_px)
    return Correspondences(pixels_P2[chosen_N], points_P3[chosen_N], confidence_N, camera, rig_T_camera)


def estimate_pose(correspondences: Correspondences, config: LocalizerConfig) -> PoseEstimate:
    """Return the pose that most of the most confident cells agree with, refined on all: right cells are dense there."""
    few = correspondences.first(config.ransac_cells)
    found = solve_pnp(few.pixels_N2, few.points_N3, few.camera, config.max_error_px)
    return PoseEstimate(correspondences, found and _refined(found.map_T_camera, correspondences, config))


def reestimate_pose(found: PoseEstimate, guided: Correspondences, config: LocalizerConfig) -> PoseEstimate:
    """Return the pose refined on guided correspondences, judged by those that the first pose was found with.

    Coordinates that were looked for where a pose expects them agree with it and cannot vouch for it.
    """
    refined = found.pnp and _refined(found.pnp.map_T_camera, guided, config)
    return _judged_by(found.correspondences, refined.map_T_camera if refined else None, config)


def estimate_at(correspondences: Correspondences, map_T_rig: Pose44 | None, config: LocalizerConfig) -> PoseEstimate:
    """Return the pose of a camera on a rig whose pose was found, with the camera's correspondences to judge it by."""
    map_T_camera = None if map_T_rig is None else map_T_rig @ correspondences.rig_T_camera
    return _judged_by(correspondences, map_T_camera, config)


def estimate_rig_pose(
    first: Sequence[Correspondences], guided: Sequence[Correspondences], config: LocalizerConfig
) -> Pose44 | None:
    """Return map_T_rig, the pose that most correspondences of all cameras agree with, refined on the guided ones.

    Raises DsmError where PoseLib, which solves for rigs, is missing.
    """
    map_T_rig = solve_rig_pnp(first, config.max_error_px)
    return None if map_T_rig is None else refine_rig_pose(map_T_rig, guided, config.max_error_px)


def _refined(map_T_camera: Pose44, on: Correspondences, config: LocalizerConfig) -> PnpResult | None:
    return refine_pnp(map_T_camera, on.pixels_N2, on.points_N3, on.camera, config.max_error_px)


def _judged_by(correspondences: Correspondences, map_T_camera: Pose44 | None, config: LocalizerConfig) -> PoseEstimate:
    if map_T_camera is None:
        return PoseEstimate(correspondences, None)
    pixels_N2, points_N3 = correspondences.pixels_N2, correspondences.points_N3
    errors_N = reprojection_errors(pixels_N2, points_N3, correspondences.camera, map_T_camera)
    return PoseEstimate(correspondences, PnpResult(map_T_camera, errors_N < config.max_error_px, errors_N))
