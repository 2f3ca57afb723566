"""One pass of the method: dense match, then PnP on the most certain cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pnp import PnpResult, refine_pnp, reprojection_errors, solve_pnp
from dsm_ros.geometry.pose import Pose44, transform
from dsm_ros.geometry.sampling import cell_centres
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.stopwatch import Stopwatch
from dsm_ros.network.dsm_net import DenseMatch, DsmNet
from dsm_ros.network.features import ImageFeatures, Scene


@dataclass(frozen=True)
class Attempt:
    """A dense match and the pose that PnP made of it.

    coords_P3: metres, map frame, all cells. pixels_C2, points_C3, confidence_C: the correspondences that speak for the
    pose or against it, most certain first; pnp.inliers_N is over them.
    """

    match: DenseMatch
    coords_P3: NDArray[np.float64]
    pixels_C2: NDArray[np.float64]
    points_C3: NDArray[np.float64]
    confidence_C: NDArray[np.float32]
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
    attempt = most_certain_cells(match, config.pnp_cells, query, scene)
    pnp = solve_certain_first(attempt, query.camera, config)
    watch.lap("pnp")
    return replace(attempt, pnp=pnp)


def solve_certain_first(attempt: Attempt, camera: Camera, config: LocalizerConfig) -> PnpResult | None:
    """Return the pose that most of the most certain cells agree with, refined on all: right cells are dense there."""
    pixels_C2, points_C3, few = attempt.pixels_C2, attempt.points_C3, config.ransac_cells
    found = solve_pnp(pixels_C2[:few], points_C3[:few], camera, config.max_error_px)
    return found and refine_pnp(found.map_T_camera, pixels_C2, points_C3, camera, config.max_error_px)


def attempt_around(
    network: DsmNet, query: ImageFeatures, scene: Scene, found: Attempt, config: LocalizerConfig, watch: Stopwatch
) -> Attempt:
    """Match again around the pose of an attempt and refine it; judged by the correspondences that found the pose.

    Coordinates looked for where a pose expects them agree with it and cannot vouch for it. They are right nearly
    everywhere, so more cells are taken than the first time.
    """
    if found.pnp is None:
        return found
    match = network.match_around(query, scene, found.match, found.pnp.map_T_camera)
    watch.lap("match")
    around = most_certain_cells(match, config.pnp_cells_around, query, scene)
    start = found.pnp.map_T_camera, around.pixels_C2, around.points_C3
    around = replace(around, pnp=refine_pnp(*start, query.camera, config.max_error_px))
    watch.lap("pnp")
    return judge(around, found, query.camera, config.max_error_px)


def most_certain_cells(match: DenseMatch, cells: int, query: ImageFeatures, scene: Scene) -> Attempt:
    """Return the correspondences of the most certain cells, without a pose."""
    height, width = match.confidence_HW.shape
    confidence_P = match.confidence_HW.flatten().cpu()
    kept = min(cells, int((confidence_P > 0).sum()))
    confidence_C, chosen_C = (values.numpy() for values in confidence_P.topk(kept))
    coords_P3 = transform(scene.map_T_local, match.coords_HW3.flatten(0, 1).cpu().numpy())
    pixels_C2 = cell_centres(width, height, query.camera.width_px, query.camera.height_px)[chosen_C]
    return Attempt(match, coords_P3, pixels_C2, coords_P3[chosen_C], confidence_C, None)


def judge(attempt: Attempt, evidence: Attempt, camera: Camera, max_error_px: float) -> Attempt:
    """Return an attempt with its pose judged by the correspondences of another one of the same image."""
    if attempt.pnp is None:
        return attempt
    judged = at_pose(evidence, attempt.pnp.map_T_camera, camera, max_error_px)
    return replace(judged, match=attempt.match, coords_P3=attempt.coords_P3)


def at_pose(attempt: Attempt, map_T_camera: Pose44, camera: Camera, max_error_px: float) -> Attempt:
    """Return an attempt with a pose from elsewhere in place of its own."""
    errors_C = reprojection_errors(attempt.pixels_C2, attempt.points_C3, camera, map_T_camera)
    return replace(attempt, pnp=PnpResult(map_T_camera, errors_C < max_error_px))


def most_certain(attempts: Sequence[Attempt], cells: int) -> list[Attempt]:
    """Return attempts with no more than the most certain correspondences of all of them together."""
    confidence_K = np.sort(np.concatenate([attempt.confidence_C for attempt in attempts]))[-cells:]
    return [_first(attempt, int((attempt.confidence_C >= confidence_K[0]).sum())) for attempt in attempts]


def _first(attempt: Attempt, count: int) -> Attempt:
    pnp = attempt.pnp and PnpResult(attempt.pnp.map_T_camera, attempt.pnp.inliers_N[:count])
    pixels_K2, points_K3 = attempt.pixels_C2[:count], attempt.points_C3[:count]
    return replace(
        attempt, pixels_C2=pixels_K2, points_C3=points_K3, confidence_C=attempt.confidence_C[:count], pnp=pnp
    )
