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
from dsm_ros.network.features import GridCameras, KeyframeFeatures, SceneSurface, keyframe_cameras, stack_surface
from dsm_ros.network.grids import beside, by_cell, grid_matrix, pixel_rays
from dsm_ros.network.recorded import recorded

SPREAD_CELLS = 3
MAX_DEPTH_M = 100.0  # of an expected surface, where the scene has no point at all


@dataclass(frozen=True)
class GridCamera:
    """A pinhole camera over a grid of cells; projection_34 = K [R | t], from the local frame of a scene to the grid."""

    projection_34: Tensor
    height: int
    width: int

    @property
    def cells_with_margin(self) -> int:
        """The number of cells of the grid with a margin of one cell, which collects the points outside the image."""
        return (self.height + 2) * (self.width + 2)

    def without_margin(self, values_XC: Tensor) -> Tensor:
        """Return values (..., H, W) of the grid, from values of all cells with the margin."""
        return values_XC.unflatten(-1, (self.height + 2, self.width + 2))[..., 1:-1, 1:-1]


def grid_camera(like: Tensor, camera: Camera, camera_T_local: Pose44, height: int, width: int) -> GridCamera:
    """Return a pinhole camera of any size over a grid of cells, on the device and of the type of ``like``."""
    (projection_34,) = beside(like, grid_matrix(camera, height, width) @ camera_T_local[:3])
    return GridCamera(projection_34, height, width)


def grid_camera_at_origin(camera: Camera, height: int, width: int, device: torch.device) -> GridCamera:
    """Return ``grid_camera`` for a camera that is the local frame, without a copy from the host to the device."""
    grid = camera.resized(width, height)
    projection_34 = torch.eye(3, 4, device=device)
    for row, column, value in ((0, 0, grid.fx), (0, 2, grid.cx), (1, 1, grid.fy), (1, 2, grid.cy)):
        projection_34[row, column].fill_(value)  # an assignment would copy the number from the host
    return GridCamera(projection_34, height, width)


def visible_surface(scene: SceneSurface, camera: GridCamera) -> tuple[Tensor, Tensor]:
    """Return the nearest scene point (3, H, W) in each cell of a camera's grid, m, and which cells have one, (H, W).

    Cells without a point are 0.
    """
    points_M3 = by_cell(scene.coords_N3HW)
    cells_M, depths_M = _cells_of(points_M3, scene.valid_NHW.flatten(), camera)
    nearest_C = depths_M.new_full((camera.cells_with_margin,), torch.inf)
    nearest_C.scatter_reduce_(0, cells_M, depths_M, "amin")
    front_M = depths_M <= nearest_C[cells_M]
    surface_C3 = points_M3.new_zeros(camera.cells_with_margin, 3)
    surface_C3[cells_M.masked_fill(~front_M, 0)] = points_M3
    return camera.without_margin(surface_C3.T), camera.without_margin(nearest_C).isfinite()


def keyframe_depths(keyframes: Sequence[KeyframeFeatures], camera: Camera, map_T_camera: Pose44) -> Tensor:
    """Return ``visible_depths`` of the surface of keyframes, on the grid of the coarsest level."""
    return _stacked_depths([k.depths[0] for k in keyframes], keyframe_cameras(keyframes, map_T_camera)[0], camera)


@recorded
def _stacked_depths(depths: Sequence[Tensor], cameras: GridCameras, camera: Camera) -> Tensor:
    height, width = depths[0].shape
    grid = grid_camera_at_origin(camera, height, width, depths[0].device)
    return visible_depths(stack_surface(depths, cameras), grid)


def visible_depths(scene: SceneSurface, camera: GridCamera) -> Tensor:
    """Return the depth (m) of each scene image's nearest point in each cell of a camera's grid, (N, H, W); else inf."""
    points_M3, images = by_cell(scene.coords_N3HW), len(scene.valid_NHW)
    cells_M, depths_M = _cells_of(points_M3, scene.valid_NHW.flatten(), camera)
    nearest_NC = depths_M.new_full((images, camera.cells_with_margin), torch.inf)
    nearest_NC.scatter_reduce_(1, cells_M.view(images, -1), depths_M.view(images, -1), "amin")
    return camera.without_margin(nearest_NC)


def expected_surface(scene: SceneSurface, camera: Camera, height: int, width: int) -> Tensor:
    """Return the expected surface (3, H, W) on the rays of a grid over a camera's image, m.

    The camera frame is the local frame of the scene. A cell without a scene point gets the depth of the nearest surface
    within ``SPREAD_CELLS``, or else the mean depth.
    """
    grid = grid_camera_at_origin(camera, height, width, scene.coords_N3HW.device)
    inverse_HW = visible_depths(scene, grid).amin(0).reciprocal()  # the inverse depth of a cell without a point is 0
    around_HW = F.max_pool2d(inverse_HW[None], 2 * SPREAD_CELLS + 1, stride=1, padding=SPREAD_CELLS)[0]
    mean = inverse_HW.sum() / (inverse_HW > 0).sum().clamp(min=1)
    inverse_HW = torch.where(inverse_HW > 0, inverse_HW, torch.where(around_HW > 0, around_HW, mean))
    depths_1HW = inverse_HW.clamp(min=1 / MAX_DEPTH_M).reciprocal()[None]
    return torch.cat([pixel_rays(camera, height, width, depths_1HW.device) * depths_1HW, depths_1HW])


def _cells_of(points_M3: Tensor, known_M: Tensor, camera: GridCamera) -> tuple[Tensor, Tensor]:
    """Return the cell that each point (local frame) projects to, as an index into the grid with its margin, and depths.

    Points outside the image, and points that are unknown or behind the camera, belong to the margin.
    """
    pixels_M2, depths_M = project(points_M3, camera.projection_34)
    u_M, v_M = pixels_M2.round().unbind(1)
    row_M, column_M = v_M.clamp(-1, camera.height) + 1, u_M.clamp(-1, camera.width) + 1
    cells_M = (row_M * (camera.width + 2) + column_M).long()
    return cells_M.masked_fill(~(known_M & (depths_M > MIN_DEPTH_M)), 0), depths_M
