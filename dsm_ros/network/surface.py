"""What a camera at a pose should see of a scene."""

from __future__ import annotations

import torch
from torch import Tensor

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44
from dsm_ros.network.cost_volume import project
from dsm_ros.network.features import SceneSurface


def seen_surface(
    scene: SceneSurface, camera: Camera, camera_T_local: Pose44, height: int, width: int
) -> tuple[Tensor, Tensor]:
    """Return the nearest scene point in each cell of a camera's grid, (3, H, W) m, and where there is one, (H, W).

    camera: a pinhole of any size. Cells that no point falls into are 0.
    """
    points_M3 = scene.coords_N3HW.permute(0, 2, 3, 1)[scene.valid_NHW]
    inside_M, cells_S, depths_S = _cells_of(points_M3, camera, camera_T_local, height, width)
    nearest_P = depths_S.new_full((height * width,), torch.inf).scatter_reduce_(0, cells_S, depths_S, "amin")
    front_S = depths_S <= nearest_P[cells_S]
    surface_P3 = points_M3.new_zeros(height * width, 3)
    surface_P3[cells_S[front_S]] = points_M3[inside_M][front_S]
    return surface_P3.T.view(3, height, width), nearest_P.isfinite().view(height, width)


def seen_depths(scene: SceneSurface, camera: Camera, camera_T_local: Pose44, height: int, width: int) -> Tensor:
    """Return the depth (m) of each scene image's nearest point in each cell of a camera's grid, (N, H, W); else inf."""
    image_M = scene.valid_NHW.nonzero()[:, 0]
    points_M3 = scene.coords_N3HW.permute(0, 2, 3, 1)[scene.valid_NHW]
    inside_M, cells_S, depths_S = _cells_of(points_M3, camera, camera_T_local, height, width)
    nearest_NP = depths_S.new_full((len(scene.valid_NHW), height * width), torch.inf)
    at_S = image_M[inside_M] * (height * width) + cells_S
    return nearest_NP.flatten().scatter_reduce_(0, at_S, depths_S, "amin").view(-1, height, width)


def _cells_of(
    points_M3: Tensor, camera: Camera, camera_T_local: Pose44, height: int, width: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Return which points (local frame) fall into a camera's grid, and the cells (row-major) and depths of those."""
    camera_T_local_44 = points_M3.new_tensor(camera_T_local)
    intrinsics_33 = points_M3.new_tensor(camera.resized(width, height).matrix_33)
    pixels_M2, front_M = project(points_M3, intrinsics_33, camera_T_local_44)
    u_M, v_M = pixels_M2.round().clamp(-1, 1e5).long().unbind(1)
    inside_M = front_M & (u_M >= 0) & (u_M < width) & (v_M >= 0) & (v_M < height)
    depths_S = points_M3[inside_M] @ camera_T_local_44[2, :3] + camera_T_local_44[2, 3]
    return inside_M, (v_M * width + u_M)[inside_M], depths_S
