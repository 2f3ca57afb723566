"""What an image should see of the map from a pose."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44, invert, transform
from dsm_ros.network.features import Scene


def seeing_cells(
    pixels_C2: NDArray[np.float64], scene: Scene, camera: Camera, map_T_camera: Pose44
) -> NDArray[np.bool_]:
    """Return which pixels of a camera at a pose lie in a cell that some point of the scene falls into, (C,).

    The scene's coarsest level has a point for each of its cells and asks no more of the image than its own cells.
    """
    level = scene.levels[0]
    height, width = level.valid_NHW.shape[1:]
    points_M3 = level.coords_N3HW.permute(0, 2, 3, 1)[level.valid_NHW].cpu().numpy()
    seen_M2 = camera.project(transform(invert(map_T_camera) @ scene.map_T_local, points_M3))
    cell_px = np.array([camera.width_px / width, camera.height_px / height])
    columns_M, rows_M = np.floor((seen_M2[np.isfinite(seen_M2).all(1)] + 0.5) / cell_px).T
    inside_M = (columns_M >= 0) & (columns_M < width) & (rows_M >= 0) & (rows_M < height)
    seeing_HW = np.zeros((height, width), bool)
    seeing_HW[rows_M[inside_M].astype(int), columns_M[inside_M].astype(int)] = True
    columns_C, rows_C = np.floor((pixels_C2 + 0.5) / cell_px).astype(int).T
    return np.asarray(seeing_HW[rows_C, columns_C])
