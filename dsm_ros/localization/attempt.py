"""One pass of the method: dense match, then PnP on the most certain cells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.pnp import PnpResult, solve_pnp
from dsm_ros.geometry.pose import transform
from dsm_ros.geometry.sampling import cell_centres
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.stopwatch import Stopwatch
from dsm_ros.network.dsm_net import DenseMatch, DsmNet
from dsm_ros.network.features import ImageFeatures, Scene


@dataclass(frozen=True)
class Attempt:
    """A dense match and what PnP made of it.

    coords_P3: metres, map frame, all cells. chosen_C: the cells given to PnP. pnp.inliers_N is over chosen_C.
    """

    match: DenseMatch
    coords_P3: NDArray[np.float64]
    chosen_C: NDArray[np.int64]
    pnp: PnpResult | None

    @property
    def inliers(self) -> int:
        """How many of the chosen cells agree with the pose."""
        return int(self.pnp.inliers_N.sum()) if self.pnp else 0

    @property
    def inlier_ratio(self) -> float:
        """The share of the chosen cells that agree with the pose."""
        return self.inliers / max(1, len(self.chosen_C))

    @property
    def inlier_points_N3(self) -> NDArray[np.float64]:
        """The coordinates that agree with the pose, metres, map frame."""
        return self.coords_P3[self.chosen_C][self.pnp.inliers_N] if self.pnp else np.empty((0, 3))


def attempt_pose(
    network: DsmNet, query: ImageFeatures, scene: Scene, config: LocalizerConfig, watch: Stopwatch
) -> Attempt:
    """Match an image against a scene and solve for its pose on the most certain cells [3.1]."""
    match = network.match(query, scene)
    height, width = match.confidence_HW.shape
    confidence_P = match.confidence_HW.flatten().cpu()
    count = min(config.pnp_cells, int((confidence_P > 0).sum()))
    chosen_C = confidence_P.topk(count).indices.numpy()
    coords_P3 = transform(scene.map_T_local, match.coords_HW3.flatten(0, 1).cpu().numpy())
    watch.lap("match")
    pixels_P2 = cell_centres(width, height, query.camera.width_px, query.camera.height_px)
    pnp = solve_pnp(pixels_P2[chosen_C], coords_P3[chosen_C], query.camera, config.max_error_px)
    watch.lap("pnp")
    return Attempt(match, coords_P3, chosen_C, pnp)
