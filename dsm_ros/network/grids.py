"""Conversions between tables of cells and image-shaped tensors, and viewing rays and 3-D points of cells."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dsm_ros.geometry.camera import Camera


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


def pixel_rays(camera: Camera, height: int, width: int, device: torch.device) -> Tensor:
    """Return x / z and y / z (2, H, W) of the rays through a grid of cells over a pinhole camera's image."""
    grid = camera.resized(width, height)
    x_W = (torch.arange(width, device=device) - grid.cx) / grid.fx
    y_H = (torch.arange(height, device=device) - grid.cy) / grid.fy
    return torch.stack([x_W.expand(height, width), y_H[:, None].expand(height, width)])


def grid_rays(intrinsics_N33: Tensor, height: int, width: int) -> Tensor:
    """Return x / z and y / z (N, 2, H, W) of the rays through the pixels of pinhole images."""
    focal_N2, centre_N2 = intrinsics_N33.diagonal(dim1=1, dim2=2)[:, :2], intrinsics_N33[:, :2, 2]
    x_NW = (torch.arange(width, device=intrinsics_N33.device) - centre_N2[:, :1]) / focal_N2[:, :1]
    y_NH = (torch.arange(height, device=intrinsics_N33.device) - centre_N2[:, 1:]) / focal_N2[:, 1:]
    size = len(intrinsics_N33), height, width
    return torch.stack([x_NW[:, None].expand(size), y_NH[:, :, None].expand(size)], dim=1)


def backproject(depths_NHW: Tensor, intrinsics_N33: Tensor, a_T_camera_N44: Tensor) -> Tensor:
    """Return the points (N, 3, H, W), in m in frame a, of depth maps of cameras with poses in a."""
    height, width = depths_NHW.shape[1:]
    depths_N1HW = depths_NHW[:, None]
    points_N3HW = torch.cat([grid_rays(intrinsics_N33, height, width) * depths_N1HW, depths_N1HW], dim=1)
    a_R_camera_N33, a_t_camera_N31 = a_T_camera_N44[:, :3, :3], a_T_camera_N44[:, :3, 3:]
    points_N3P = torch.baddbmm(a_t_camera_N31, a_R_camera_N33, points_N3HW.flatten(2))
    return points_N3P.unflatten(2, (height, width))
