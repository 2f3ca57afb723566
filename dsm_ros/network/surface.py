"""Surface of a scene as a camera at a pose would image it."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44
from dsm_ros.network.cost_volume import project
from dsm_ros.network.features import SceneSurface
from dsm_ros.network.grids import beside, by_cell, pixel_rays

SPREAD_CELLS = 3
MAX_DEPTH_M = 100.0  # of an expected surface, where the scene has no point at all


def visible_surface(
    scene: SceneSurface, camera: Camera, camera_T_local: Pose44, height: int, width: int
) -> tuple[Tensor, Tensor]:
    """Return the nearest scene point (3, H, W) in each cell of a camera's grid, m, and which cells have one, (H, W).

    camera: a pinhole of any size. Cells without a point are 0.
    """
    points_M3 = by_cell(scene.coords_N3HW)
    cells_M, depths_M = _cells_of(points_M3, scene.valid_NHW.flatten(), camera, camera_T_local, height, width)
    nearest_C = depths_M.new_full((height * width + 1,), torch.inf).scatter_reduce_(0, cells_M, depths_M, "amin")
    front_M = depths_M <= nearest_C[cells_M]
    surface_C3 = points_M3.new_zeros(height * width + 1, 3)
    surface_C3[cells_M.masked_fill(~front_M, height * width)] = points_M3
    nearest_P = nearest_C[:-1]
    surface_P3 = surface_C3[:-1]
    return surface_P3.T.view(3, height, width), nearest_P.isfinite().view(height, width)


def visible_depths(scene: SceneSurface, camera: Camera, camera_T_local: Pose44, height: int, width: int) -> Tensor:
    """Return the depth (m) of each scene image's nearest point in each cell of a camera's grid, (N, H, W); else inf."""
    points_M3, images = by_cell(scene.coords_N3HW), len(scene.valid_NHW)
    cells_M, depths_M = _cells_of(points_M3, scene.valid_NHW.flatten(), camera, camera_T_local, height, width)
    nearest_NC = depths_M.new_full((images, height * width + 1), torch.inf)
    nearest_NC.scatter_reduce_(1, cells_M.view(images, -1), depths_M.view(images, -1), "amin")
    return nearest_NC[:, :-1].view(images, height, width)


def expected_surface(scene: SceneSurface, camera: Camera, height: int, width: int) -> Tensor:
    """Return the expected surface (3, H, W) on the rays of a camera's grid, m, where the camera is the local frame.

    A cell without a scene point gets the depth of the nearest surface within ``SPREAD_CELLS``, or else the mean depth.
    """
    depths_NHW = visible_depths(scene, camera, np.eye(4), height, width)
    inverse_HW = depths_NHW.amin(0).reciprocal()  # the inverse depth of a cell without a point is 0
    around_HW = F.max_pool2d(inverse_HW[None], 2 * SPREAD_CELLS + 1, stride=1, padding=SPREAD_CELLS)[0]
    mean = inverse_HW.sum() / (inverse_HW > 0).sum().clamp(min=1)
    inverse_HW = torch.where(inverse_HW > 0, inverse_HW, torch.where(around_HW > 0, around_HW, mean))
    depths_1HW = inverse_HW.clamp(min=1 / MAX_DEPTH_M).reciprocal()[None]
    return torch.cat([pixel_rays(camera, height, width, depths_1HW.device) * depths_1HW, depths_1HW])


def _cells_of(
    points_M3: Tensor, known_M: Tensor, camera: Camera, camera_T_local: Pose44, height: int, width: int
) -> tuple[Tensor, Tensor]:
    """Return the cell (row-major) of a camera's grid that each known point (local frame) projects to, and its depth.

    Unknown points, and points outside the image, get one more cell after the last.
    """
    matrix_33 = camera.resized(width, height).matrix_33
    camera_T_local_44, intrinsics_33 = beside(points_M3, camera_T_local, matrix_33)
    pixels_M2, front_M = project(points_M3, intrinsics_33, camera_T_local_44)
    u_M, v_M = pixels_M2.round().clamp(-1, 1e5).long().unbind(1)
    inside_M = known_M & front_M & (u_M >= 0) & (u_M < width) & (v_M >= 0) & (v_M < height)
    depths_M = points_M3 @ camera_T_local_44[2, :3] + camera_T_local_44[2, 3]
    return (v_M * width + u_M).masked_fill(~inside_M, height * width), depths_M
