"""Training episodes: views of one place with exact depth and pose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44, invert, pose_error
from dsm_ros.geometry.sampling import pool_depth
from dsm_ros.network.cost_volume import MIN_DEPTH_M, project
from dsm_ros.network.grids import back_projections, backproject, grid_matrices

OVERLAP_STRIDE_PX = 16
METRES_PER_DEGREE = 1 / 30  # distance between viewpoints that is equivalent to a rotation of 1 degree
SAME_SURFACE = 0.1  # maximum relative difference of depth between two points of one surface


EpisodeKey = tuple[int, int]  # number of the place, number of the augmentation


@dataclass(frozen=True)
class Episode:
    """V views of one place, all of one size.

    images_VHW3 uint8 RGB; depths_VHW float32 m, 0 = unknown; map_T_camera_V44 float64; overlap_VV: see ``overlap``.
    key: identifier of the images in a cache; None = never cached.
    """

    images_VHW3: Tensor
    depths_VHW: Tensor
    cameras: tuple[Camera, ...]
    map_T_camera_V44: NDArray[np.float64]
    overlap_VV: NDArray[np.float32]
    key: EpisodeKey | None = None

    def to(self, device: torch.device) -> Episode:
        """Return the episode with images and depths on a device."""
        return replace(self, images_VHW3=self.images_VHW3.to(device), depths_VHW=self.depths_VHW.to(device))


class EpisodeSource(Protocol):
    """Episodes by number; the same number gives the same episode in any process and in any order."""

    def __getitem__(self, index: int) -> Episode: ...


def make_episode(
    images_VHW3: Tensor, depths_VHW: Tensor, cameras: Sequence[Camera], map_T_camera_V44: NDArray[np.float64]
) -> Episode:
    """Return the episode of the given views, with the overlap of each pair."""
    overlap_VV = overlap(depths_VHW, cameras, map_T_camera_V44)
    return Episode(images_VHW3, depths_VHW, tuple(cameras), map_T_camera_V44, overlap_VV)


def viewpoint_distances(poses: Sequence[Pose44]) -> list[float]:
    """Return the distance (m) of each viewpoint from the first viewpoint; rotation adds METRES_PER_DEGREE."""
    errors = (pose_error(pose, poses[0]) for pose in poses)
    return [translation_m + METRES_PER_DEGREE * rotation_deg for translation_m, rotation_deg in errors]


def overlap(
    depths_VHW: Tensor, cameras: Sequence[Camera], map_T_camera_V44: NDArray[np.float64]
) -> NDArray[np.float32]:
    """Return (V, V): the share of the cells of view i (row) whose surface is visible in view j (column)."""
    pooled_VHW = torch.stack([pool_depth(depth_HW, OVERLAP_STRIDE_PX) for depth_HW in depths_VHW])
    count, height, width = pooled_VHW.shape
    intrinsics_V33 = grid_matrices(cameras, height, width)
    back_projection_V34 = torch.from_numpy(back_projections(intrinsics_V33, np.stack([np.eye(4)] * count))).float()
    shares_VV = np.eye(count, dtype=np.float32)
    for i in range(count):
        points_P3 = backproject(pooled_VHW[i : i + 1], back_projection_V34[i : i + 1])[0].flatten(1).T
        points_P3 = points_P3[pooled_VHW[i].flatten() > 0]
        for j in set(range(count)) - {i}:
            j_T_i = invert(map_T_camera_V44[j]) @ map_T_camera_V44[i]
            projection_34 = torch.from_numpy(intrinsics_V33[j] @ j_T_i[:3]).float()
            shares_VV[i, j] = _visible_share(points_P3, pooled_VHW[j], projection_34)
    return shares_VV


def _visible_share(points_P3: Tensor, depth_HW: Tensor, projection_34: Tensor) -> float:
    if not len(points_P3):
        return 0.0
    pixels_P2, z_P = project(points_P3, projection_34)
    u_P, v_P = pixels_P2.round().clamp(-1, 1e4).long().unbind(1)
    inside_P = (z_P > MIN_DEPTH_M) & (u_P >= 0) & (v_P >= 0) & (u_P < depth_HW.shape[1]) & (v_P < depth_HW.shape[0])
    surface_P = depth_HW[v_P.clamp(0, depth_HW.shape[0] - 1), u_P.clamp(0, depth_HW.shape[1] - 1)]
    return float((inside_P & ((surface_P - z_P).abs() < SAME_SURFACE * z_P)).float().mean())
