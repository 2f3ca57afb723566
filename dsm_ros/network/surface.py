"""Visible surface of a scene for a camera at a pose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44
from dsm_ros.network.cost_volume import MIN_DEPTH_M, project
from dsm_ros.network.features import KeyframeCameras, KeyframeFeatures, SceneSurface, keyframe_cameras, stack_surface
from dsm_ros.network.grids import beside, by_cell, grid_matrix, grid_rays
from dsm_ros.network.recorded import recorded

SPREAD_CELLS = 3
MAX_DEPTH_M = 100.0  # of an expected surface, where the scene has no point at all


@dataclass(frozen=True)
class GridCamera:
    """A pinhole camera over a grid of cells: intrinsics_33 on the grid, and its pose in the local frame of a scene."""

    intrinsics_33: Tensor
    camera_T_local_44: Tensor
    height: int
    width: int


def grid_camera(near: Tensor, camera: Camera, camera_T_local: Pose44, height: int, width: int) -> GridCamera:
    """Return a pinhole camera of any size over a grid of cells, on the device and of the type of a tensor near it."""
    matrix_33, camera_T_local_44 = beside(near, grid_matrix(camera, height, width), camera_T_local)
    return GridCamera(matrix_33, camera_T_local_44, height, width)


def grid_camera_at_origin(camera: Camera, height: int, width: int, device: torch.device) -> GridCamera:
    """Return ``grid_camera`` for a camera that is the local frame, without a copy from the host to the device."""
    grid = camera.resized(width, height)
    intrinsics_33 = torch.eye(3, device=device)
    for row, column, value in ((0, 0, grid.fx), (0, 2, grid.cx), (1, 1, grid.fy), (1, 2, grid.cy)):
        intrinsics_33[row, column].fill_(value)  # an assignment would copy the number from the host
    return GridCamera(intrinsics_33, torch.eye(4, device=device), height, width)


def visible_surface(scene: SceneSurface, camera: GridCamera) -> tuple[Tensor, Tensor]:
    """Return the nearest scene point (3, H, W) in each cell of a camera's grid, m, and which cells have one, (H, W).

    Cells without a point are 0.
    """
    points_M3, cells = by_cell(scene.coords_N3HW), camera.height * camera.width
    cells_M, depths_M = _cells_of(points_M3, scene.valid_NHW.flatten(), camera)
    nearest_C = depths_M.new_full((cells + 1,), torch.inf).scatter_reduce_(0, cells_M, depths_M, "amin")
    front_M = depths_M <= nearest_C[cells_M]
    surface_C3 = points_M3.new_zeros(cells + 1, 3)
    surface_C3[cells_M.masked_fill(~front_M, cells)] = points_M3
    nearest_P = nearest_C[:-1]
    surface_P3 = surface_C3[:-1]
    size = camera.height, camera.width
    return surface_P3.T.view(3, *size), nearest_P.isfinite().view(size)


def keyframe_depths(keyframes: Sequence[KeyframeFeatures], camera: Camera, map_T_camera: Pose44) -> Tensor:
    """Return ``visible_depths`` of the surface of keyframes, on the grid of the coarsest level."""
    cameras = keyframe_cameras(keyframes, map_T_camera)
    return _stacked_depths([k.depths[0] for k in keyframes], cameras, camera)


@recorded
def _stacked_depths(depths: Sequence[Tensor], cameras: KeyframeCameras, camera: Camera) -> Tensor:
    height, width = depths[0].shape
    grid = grid_camera_at_origin(camera, height, width, depths[0].device)
    return visible_depths(stack_surface(depths, cameras, 0), grid)


def visible_depths(scene: SceneSurface, camera: GridCamera) -> Tensor:
    """Return the depth (m) of each scene image's nearest point in each cell of a camera's grid, (N, H, W); else inf."""
    points_M3, images = by_cell(scene.coords_N3HW), len(scene.valid_NHW)
    cells_M, depths_M = _cells_of(points_M3, scene.valid_NHW.flatten(), camera)
    nearest_NC = depths_M.new_full((images, camera.height * camera.width + 1), torch.inf)
    nearest_NC.scatter_reduce_(1, cells_M.view(images, -1), depths_M.view(images, -1), "amin")
    return nearest_NC[:, :-1].view(images, camera.height, camera.width)


def expected_surface(scene: SceneSurface, camera: GridCamera) -> Tensor:
    """Return the expected surface (3, H, W) on the rays of a camera's grid, m, where the camera is the local frame.

    A cell without a scene point gets the depth of the nearest surface within ``SPREAD_CELLS``, or else the mean depth.
    """
    inverse_HW = visible_depths(scene, camera).amin(0).reciprocal()  # the inverse depth of a cell without a point is 0
    around_HW = F.max_pool2d(inverse_HW[None], 2 * SPREAD_CELLS + 1, stride=1, padding=SPREAD_CELLS)[0]
    mean = inverse_HW.sum() / (inverse_HW > 0).sum().clamp(min=1)
    inverse_HW = torch.where(inverse_HW > 0, inverse_HW, torch.where(around_HW > 0, around_HW, mean))
    depths_1HW = inverse_HW.clamp(min=1 / MAX_DEPTH_M).reciprocal()[None]
    return torch.cat([grid_rays(camera.intrinsics_33[None], camera.height, camera.width)[0] * depths_1HW, depths_1HW])


def _cells_of(points_M3: Tensor, known_M: Tensor, camera: GridCamera) -> tuple[Tensor, Tensor]:
    """Return the cell (row-major) of a camera's grid that each known point (local frame) projects to, and its depth.

    Unknown points, and points outside the image, belong to an additional cell after the last cell.
    """
    pixels_M2, depths_M = project(points_M3, camera.intrinsics_33, camera.camera_T_local_44)
    u_M, v_M = pixels_M2.round().clamp(-1, 1e5).long().unbind(1)
    inside_M = (
        known_M & (depths_M > MIN_DEPTH_M) & (u_M >= 0) & (u_M < camera.width) & (v_M >= 0) & (v_M < camera.height)
    )
    return (v_M * camera.width + u_M).masked_fill(~inside_M, camera.height * camera.width), depths_M
