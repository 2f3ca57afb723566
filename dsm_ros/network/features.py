"""What the encoder makes of images, and what the matcher takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44

MIN_DEVIATION_M = 0.05  # of a scene that is a single flat patch


@dataclass(frozen=True)
class ImageFeatures:
    """One encoded image.

    levels: per pyramid level, coarse to fine, (C, h, w), unit length along C.
    descriptor_D: unit global descriptor. camera: pinhole at the encoder's input size.
    """

    levels: tuple[Tensor, ...]
    descriptor_D: Tensor
    camera: Camera


@dataclass(frozen=True)
class KeyframeFeatures:
    """One encoded map image: its features, the depth of each cell, and where it was taken.

    depths: per level (h, w) float32 metres along z at the cell's centre, 0 = unknown.
    """

    image: ImageFeatures
    depths: tuple[Tensor, ...]
    map_T_camera: Pose44


@dataclass(frozen=True)
class SceneSurface:
    """What the retrieved images show at one pyramid level, in the local frame of the scene.

    coords_N3HW metres, local frame; valid_NHW where there is a coordinate; intrinsics_N33 at this level's grid;
    camera_T_local_N44 float32.
    """

    coords_N3HW: Tensor
    valid_NHW: Tensor
    intrinsics_N33: Tensor
    camera_T_local_N44: Tensor


@dataclass(frozen=True)
class SceneLevel(SceneSurface):
    """The retrieved images at one pyramid level: surface and features_NCHW, unit along C."""

    features_NCHW: Tensor


@dataclass(frozen=True)
class Scene:
    """The retrieved images at every level, coarse to fine, in a frame near them (DSM_FACTS 5.3).

    map_T_local: 4x4 float64; world coordinates never enter the network (float32 loses metres far from 0).
    mean_3, deviation: of all coordinates, m; one deviation for the three axes does not depend on the frame's turn.
    """

    levels: tuple[SceneLevel, ...]
    map_T_local: Pose44
    mean_3: Tensor
    deviation: Tensor

    def normalise(self, coords_X3: Tensor) -> Tensor:
        """Return local coordinates (..., 3) in m with zero mean and unit deviation over the scene."""
        return (coords_X3 - self.mean_3) / self.deviation

    def metric(self, coords_X3: Tensor) -> Tensor:
        """Return normalised coordinates (..., 3) in metres."""
        return coords_X3 * self.deviation + self.mean_3


def gather_scene(keyframes: Sequence[KeyframeFeatures], map_T_local: Pose44 | None = None) -> Scene:
    """Stack keyframes into a scene in a local frame: that of the first one's camera unless one is given [5.3].

    Raises ValueError without keyframes or when their grids differ.
    """
    if not keyframes:
        raise ValueError("a scene needs at least one keyframe")
    map_T_local = keyframes[0].map_T_camera if map_T_local is None else map_T_local
    levels = tuple(gather_level(keyframes, i, map_T_local) for i in range(len(keyframes[0].depths)))
    known_P3 = levels[0].coords_N3HW.permute(0, 2, 3, 1)[levels[0].valid_NHW]
    if len(known_P3) < 2:
        return Scene(levels, map_T_local, known_P3.new_zeros(3), known_P3.new_tensor(1.0))
    mean_3 = known_P3.mean(0)
    deviation = (known_P3 - mean_3).square().mean().sqrt().clamp(min=MIN_DEVIATION_M)
    return Scene(levels, map_T_local, mean_3, deviation)


def gather_level(keyframes: Sequence[KeyframeFeatures], level: int, map_T_local: Pose44) -> SceneLevel:
    """Stack keyframes at one pyramid level, 0 the coarsest, in a local frame."""
    features_NHWC = torch.stack([k.image.levels[level].permute(1, 2, 0) for k in keyframes]).float()
    features_NCHW = features_NHWC.permute(0, 3, 1, 2)  # by cell in memory, which is how windows read them
    return SceneLevel(**vars(gather_surface(keyframes, level, map_T_local)), features_NCHW=features_NCHW)


def gather_surface(keyframes: Sequence[KeyframeFeatures], level: int, map_T_local: Pose44) -> SceneSurface:
    """Stack what keyframes show at one pyramid level, 0 the coarsest, in a local frame."""
    depths_NHW = torch.stack([k.depths[level] for k in keyframes]).float()
    height, width = depths_NHW.shape[1:]
    matrices_N33 = np.stack([k.image.camera.resized(width, height).matrix_33 for k in keyframes])
    local_T_camera_N44 = np.linalg.inv(map_T_local) @ np.stack([k.map_T_camera for k in keyframes])
    intrinsics_N33 = depths_NHW.new_tensor(matrices_N33)
    return SceneSurface(
        backproject(depths_NHW, intrinsics_N33, depths_NHW.new_tensor(local_T_camera_N44)),
        depths_NHW > 0,
        intrinsics_N33,
        depths_NHW.new_tensor(np.linalg.inv(local_T_camera_N44)),
    )


def by_cell(maps_NCHW: Tensor) -> Tensor:
    """Return maps as a table of cells (N*H*W, C); nothing is copied of those that lie by cell in memory."""
    return maps_NCHW.permute(0, 2, 3, 1).flatten(0, 2)


def pixel_rays(camera: Camera, height: int, width: int, device: torch.device) -> Tensor:
    """Return x / z and y / z (2, H, W) of the rays through a grid of cells over a pinhole camera's image."""
    matrix_33 = camera.resized(width, height).matrix_33
    return grid_rays(torch.tensor(matrix_33[None], dtype=torch.float32, device=device), height, width)[0]


def grid_rays(intrinsics_N33: Tensor, height: int, width: int) -> Tensor:
    """Return x / z and y / z (N, 2, H, W) of the rays through the pixels of pinhole images."""
    focal_N2, centre_N2 = intrinsics_N33[:, (0, 1), (0, 1)], intrinsics_N33[:, :2, 2]
    x_NW = (torch.arange(width, device=intrinsics_N33.device) - centre_N2[:, :1]) / focal_N2[:, :1]
    y_NH = (torch.arange(height, device=intrinsics_N33.device) - centre_N2[:, 1:]) / focal_N2[:, 1:]
    size = len(intrinsics_N33), height, width
    return torch.stack([x_NW[:, None].expand(size), y_NH[:, :, None].expand(size)], dim=1)


def backproject(depths_NHW: Tensor, intrinsics_N33: Tensor, a_T_camera_N44: Tensor) -> Tensor:
    """Return the points (N, 3, H, W), metres in a, of depth maps seen from cameras in a."""
    height, width = depths_NHW.shape[1:]
    depths_N1HW = depths_NHW[:, None]
    points_N3HW = torch.cat([grid_rays(intrinsics_N33, height, width) * depths_N1HW, depths_N1HW], dim=1)
    a_R_camera_N33, a_t_camera_N31 = a_T_camera_N44[:, :3, :3], a_T_camera_N44[:, :3, 3:]
    points_N3P = torch.baddbmm(a_t_camera_N31, a_R_camera_N33, points_N3HW.flatten(2))
    return points_N3P.unflatten(2, (height, width))
