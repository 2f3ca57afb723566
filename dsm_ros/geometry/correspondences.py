"""Correspondences between pixels of one camera and points of the map."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44


@dataclass(frozen=True)
class Correspondences:
    """Pixels of one camera, the map point that each pixel shows, and the confidence of each correspondence.

    pixels_N2: px of ``camera``, an undistorted pinhole. points_N3: metres, map frame. confidence_N: 0..1.
    rig_T_camera: pose of the camera in the rig's frame, the identity for a single camera.
    """

    pixels_N2: NDArray[np.float64]
    points_N3: NDArray[np.float64]
    confidence_N: NDArray[np.float32]
    camera: Camera
    rig_T_camera: Pose44

    def __len__(self) -> int:
        return len(self.points_N3)

    def most_confident(self, count: int) -> Correspondences:
        """Return up to ``count`` correspondences, the most confident first, without correspondences of confidence 0."""
        confidence_N = torch.from_numpy(self.confidence_N)
        kept = min(count, int((confidence_N > 0).sum()))
        return self._rows(confidence_N.topk(kept).indices.numpy())

    def first(self, count: int) -> Correspondences:
        """Return the first ``count`` correspondences."""
        return self._rows(np.arange(min(count, len(self))))

    def chosen(self, chosen_N: NDArray[np.bool_]) -> Correspondences:
        """Return the correspondences that a mask selects."""
        return self._rows(np.flatnonzero(chosen_N))

    def _rows(self, rows_M: NDArray[np.int64]) -> Correspondences:
        return replace(
            self,
            pixels_N2=self.pixels_N2[rows_M],
            points_N3=self.points_N3[rows_M],
            confidence_N=self.confidence_N[rows_M],
        )
