"""What an image should see of the map from a pose."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44, invert
from dsm_ros.network.features import Scene
from dsm_ros.network.surface import seen_surface


def seeing_cells(
    pixels_C2: NDArray[np.float64], scene: Scene, camera: Camera, map_T_camera: Pose44
) -> NDArray[np.bool_]:
    """Return which pixels of a camera at a pose lie in a cell that some point of the scene falls into, (C,).

    The scene's coarsest level has a point for each of its cells and asks no more of the image than its own cells.
    """
    height, width = scene.levels[0].valid_NHW.shape[1:]
    camera_T_local = invert(map_T_camera) @ scene.map_T_local
    seeing_HW = seen_surface(scene.levels[0], camera, camera_T_local, height, width)[1].cpu().numpy()
    cell_px = np.array([camera.width_px / width, camera.height_px / height])
    columns_C, rows_C = np.floor((pixels_C2 + 0.5) / cell_px).astype(int).T
    return np.asarray(seeing_HW[rows_C, columns_C])
