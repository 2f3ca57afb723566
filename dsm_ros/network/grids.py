"""Conversions between tables of cells and image-shaped tensors, and viewing rays and 3-D points of cells."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44


def beside(tensor: Tensor, *arrays: NDArray[np.floating]) -> list[Tensor]:
    """Return arrays as tensors with the type and the device of a given tensor, copied to the device in one piece."""
    numbers = tensor.new_tensor(np.concatenate([array.ravel() for array in arrays]))
    parts = numbers.split([array.size for array in arrays])
    return [part.view(array.shape) for part, array in zip(parts, arrays, strict=True)]


def by_cell(maps_NCHW: Tensor) -> Tensor:
    """Return feature maps as a table of cells (N*H*W, C), without a copy if the memory format is channels last."""
    return maps_NCHW.permute(0, 2, 3, 1).flatten(0, 2)


@lru_cache(maxsize=1024)
def grid_matrix(camera: Camera, height: int, width: int) -> NDArray[np.float64]:
    """Return K of a grid of cells over a camera's image, 3x3; the array is shared and must not be changed."""
    matrix_33 = camera.resized(width, height).matrix_33
    matrix_33.setflags(write=False)
    return matrix_33


def grid_matrices(cameras: Sequence[Camera], height: int, width: int) -> NDArray[np.float64]:
    """Return K of a grid of cells over the image of each camera, (N, 3, 3)."""
    return np.stack([grid_matrix(camera, height, width) for camera in cameras])


def pixel_rays(camera: Camera, height: int, width: int, device: torch.device) -> Tensor:
    """Return x / z and y / z (2, H, W) of the rays through a grid of cells over a pinhole camera's image."""
    grid = camera.resized(width, height)
    x_W = (torch.arange(width, device=device) - grid.cx) / grid.fx
    y_H = (torch.arange(height, device=device) - grid.cy) / grid.fy
    return torch.stack([x_W.expand(height, width), y_H[:, None].expand(height, width)])


def back_projections(intrinsics_N33: NDArray[np.float64], a_T_camera_N44: NDArray[np.floating]) -> NDArray[np.float64]:
    """Return [R inv(K) | t] (N, 3, 4) of cameras with poses in a frame a; see ``backproject``."""
    a_R_camera_N33, a_t_camera_N31 = np.split(a_T_camera_N44[..., :3, :], [3], axis=-1)
    return np.concatenate([a_R_camera_N33 @ np.linalg.inv(intrinsics_N33), a_t_camera_N31], axis=-1)


def backproject(depths_NHW: Tensor, back_projection_N34: Tensor) -> Tensor:
    """Return the points (N, 3, H, W), in m in frame a, of depth maps of cameras with ``back_projections`` into a."""
    height, width = depths_NHW.shape[1:]
    u_W, v_H = (torch.arange(size, device=depths_NHW.device) for size in (width, height))
    per_u_N311, per_v_N311, first_N311, centre_N311 = back_projection_N34[..., None, None].unbind(2)
    rays_N3HW = per_u_N311 * u_W + (per_v_N311 * v_H[:, None] + first_N311)
    return torch.addcmul(centre_N311, rays_N3HW, depths_NHW[:, None])
