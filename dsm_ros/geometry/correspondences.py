"""Correspondences: pixels of one camera and the map points that they show."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44


@dataclass(frozen=True)
class Correspondences:
    """Pixels of an undistorted pinhole camera, the points they show (metres, map frame), and how sure each pair is.

    confidence_N: 0..1, falling. rig_T_camera: where the camera is on its rig, the identity for a single camera.
    """

    pixels_N2: NDArray[np.float64]
    points_N3: NDArray[np.float64]
    confidence_N: NDArray[np.float32]
    camera: Camera
    rig_T_camera: Pose44

    def __len__(self) -> int:
        return len(self.points_N3)

    def first(self, count: int) -> Correspondences:
        """Return the ``count`` most confident ones."""
        return self.chosen(np.arange(len(self)) < count)

    def chosen(self, chosen_N: NDArray[np.bool_]) -> Correspondences:
        """Return those that a mask chooses."""
        return replace(
            self,
            pixels_N2=self.pixels_N2[chosen_N],
            points_N3=self.points_N3[chosen_N],
            confidence_N=self.confidence_N[chosen_N],
        )
