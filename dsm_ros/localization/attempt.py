"""One pass of the method: dense match, then PnP on the most certain cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pnp import PnpResult, reprojection_errors, solve_pnp
from dsm_ros.geometry.pose import transform
from dsm_ros.geometry.sampling import cell_centres
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.stopwatch import Stopwatch
from dsm_ros.network.dsm_net import DenseMatch, DsmNet
from dsm_ros.network.features import ImageFeatures, Scene


@dataclass(frozen=True)
class Attempt:
    """A dense match and the pose that PnP made of it.

    coords_P3: metres, map frame, all cells. pixels_C2, points_C3: the correspondences that speak for the pose or
    against it; pnp.inliers_N is over them.
    """

    match: DenseMatch
    coords_P3: NDArray[np.float64]
    pixels_C2: NDArray[np.float64]
    points_C3: NDArray[np.float64]
    pnp: PnpResult | None

    @property
    def inliers(self) -> int:
        """How many correspondences agree with the pose."""
        return int(self.pnp.inliers_N.sum()) if self.pnp else 0

    @property
    def inlier_ratio(self) -> float:
        """The share of the correspondences that agree with the pose."""
        return self.inliers / max(1, len(self.points_C3))

    @property
    def inlier_pixels_N2(self) -> NDArray[np.float64]:
        """The pixels that agree with the pose, at the network's input size."""
        return self.pixels_C2[self.pnp.inliers_N] if self.pnp else np.empty((0, 2))

    @property
    def inlier_points_N3(self) -> NDArray[np.float64]:
        """The points that agree with the pose, metres, map frame."""
        return self.points_C3[self.pnp.inliers_N] if self.pnp else np.empty((0, 3))


def attempt_pose(
    network: DsmNet, query: ImageFeatures, scene: Scene, config: LocalizerConfig, watch: Stopwatch
) -> Attempt:
    """Match an image against a scene and solve for its pose on the most certain cells [3.1]."""
    match = network.match(query, scene)
    watch.lap("match")
    chosen_C = _best_cells(match.confidence_HW, config.pnp_cells)
    return _solve(match, chosen_C, query, scene, config, watch)


def attempt_around(
    network: DsmNet, query: ImageFeatures, scene: Scene, found: Attempt, config: LocalizerConfig, watch: Stopwatch
) -> Attempt:
    """Match again around the pose of an attempt and solve anew; judged by the correspondences that found the pose.

    Coordinates looked for where a pose expects them agree with it and cannot vouch for it. They are right nearly
    everywhere, so more cells are taken than the first time, those that match best at the finest level.
    """
    if found.pnp is None:
        return found
    match = network.match_around(query, scene, found.match, found.pnp.map_T_camera)
    watch.lap("match")
    chosen_C = _best_cells(match.agreement_HW, config.pnp_cells_around)
    return judge(_solve(match, chosen_C, query, scene, config, watch), found, query.camera, config.max_error_px)


def _best_cells(worth_HW: Tensor, count: int) -> NDArray[np.int64]:
    """Return the numbers of the cells worth most, of those worth anything."""
    worth_P = worth_HW.flatten().cpu()
    return worth_P.topk(min(count, int((worth_P > 0).sum()))).indices.numpy()


def _solve(
    match: DenseMatch,
    chosen_C: NDArray[np.int64],
    query: ImageFeatures,
    scene: Scene,
    config: LocalizerConfig,
    watch: Stopwatch,
) -> Attempt:
    height, width = match.confidence_HW.shape
    coords_P3 = transform(scene.map_T_local, match.coords_HW3.flatten(0, 1).cpu().numpy())
    pixels_C2 = cell_centres(width, height, query.camera.width_px, query.camera.height_px)[chosen_C]
    pnp = solve_pnp(pixels_C2, coords_P3[chosen_C], query.camera, config.max_error_px)
    watch.lap("pnp")
    return Attempt(match, coords_P3, pixels_C2, coords_P3[chosen_C], pnp)


def judge(attempt: Attempt, evidence: Attempt, camera: Camera, max_error_px: float) -> Attempt:
    """Return an attempt with its pose judged by the correspondences of another one of the same image."""
    if attempt.pnp is None:
        return attempt
    errors_C = reprojection_errors(evidence.pixels_C2, evidence.points_C3, camera, attempt.pnp.map_T_camera)
    pnp = PnpResult(attempt.pnp.map_T_camera, errors_C < max_error_px)
    return Attempt(attempt.match, attempt.coords_P3, evidence.pixels_C2, evidence.points_C3, pnp)
