"""What the encoder makes of images, and what the matcher takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np
import torch
from numpy.typing import NDArray
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
    return gather_scenes([keyframes], [keyframes[0].map_T_camera if map_T_local is None else map_T_local])[0]


def gather_scenes(groups: Sequence[Sequence[KeyframeFeatures]], maps_T_local: Sequence[Pose44]) -> list[Scene]:
    """Stack each group of keyframes into a scene in its local frame; all matrices go to the device in one piece."""
    levels = range(len(groups[0][0].depths))
    placements = [_placement(*pair, levels) for pair in zip(groups, maps_T_local, strict=True)]
    placed = iter(beside(groups[0][0].depths[0].float(), *chain.from_iterable(placements)))
    scenes = []
    for keyframes, map_T_local, placement in zip(groups, maps_T_local, placements, strict=True):
        surfaces = _surfaces(keyframes, levels, list(islice(placed, len(placement))))
        gathered = tuple(_with_features(surface, keyframes, level) for level, surface in enumerate(surfaces))
        scenes.append(Scene(gathered, map_T_local, *_mean_and_deviation(gathered[0])))
    return scenes


def _with_features(surface: SceneSurface, keyframes: Sequence[KeyframeFeatures], level: int) -> SceneLevel:
    features_NHWC = torch.stack([k.image.levels[level].permute(1, 2, 0) for k in keyframes]).float()
    features_NCHW = features_NHWC.permute(0, 3, 1, 2)  # by cell in memory, which is how windows read them
    return SceneLevel(**vars(surface), features_NCHW=features_NCHW)


def _mean_and_deviation(surface: SceneSurface) -> tuple[Tensor, Tensor]:
    """Return the mean (3,) and the deviation of all coordinates, 0 and 1 where there are fewer than two."""
    known_P1 = surface.valid_NHW.flatten()[:, None]
    coords_P3 = torch.where(known_P1, by_cell(surface.coords_N3HW), 0.0).double()
    count = known_P1.sum()
    mean_3 = coords_P3.sum(0) / count.clamp(min=1)
    squared_P3 = torch.where(known_P1, (coords_P3 - mean_3).square(), 0.0)
    deviation = (squared_P3.sum() / (3 * count.clamp(min=1))).sqrt().clamp(min=MIN_DEVIATION_M)
    enough = count >= 2
    return torch.where(enough, mean_3, 0.0).float(), torch.where(enough, deviation, 1.0).float()


def gather_surface(keyframes: Sequence[KeyframeFeatures], level: int, map_T_local: Pose44) -> SceneSurface:
    """Stack what keyframes show at one pyramid level, 0 the coarsest, in a local frame."""
    placement = _placement(keyframes, map_T_local, [level])
    return _surfaces(keyframes, [level], beside(keyframes[0].depths[level].float(), *placement))[0]


def _placement(
    keyframes: Sequence[KeyframeFeatures], map_T_local: Pose44, levels: Sequence[int]
) -> list[NDArray[np.floating]]:
    """Return local_T_camera_N44, camera_T_local_N44 and, for each level, intrinsics_N33."""
    sizes = [keyframes[0].depths[level].shape for level in levels]
    matrices = [np.stack([k.image.camera.resized(w, h).matrix_33 for k in keyframes]) for h, w in sizes]
    local_T_camera_N44 = np.linalg.inv(map_T_local) @ np.stack([k.map_T_camera for k in keyframes])
    return [local_T_camera_N44, np.linalg.inv(local_T_camera_N44), *matrices]


def _surfaces(
    keyframes: Sequence[KeyframeFeatures], levels: Sequence[int], placement: Sequence[Tensor]
) -> list[SceneSurface]:
    local_T_camera_N44, camera_T_local_N44, *matrices = placement
    surfaces = []
    for level, intrinsics_N33 in zip(levels, matrices, strict=True):
        depths_NHW = torch.stack([k.depths[level] for k in keyframes]).float()
        coords_N3HW = backproject(depths_NHW, intrinsics_N33, local_T_camera_N44)
        surfaces.append(SceneSurface(coords_N3HW, depths_NHW > 0, intrinsics_N33, camera_T_local_N44))
    return surfaces


def beside(tensor: Tensor, *arrays: NDArray[np.floating]) -> list[Tensor]:
    """Return arrays of the host as tensors of another one's type and device, copied there in one piece."""
    numbers = tensor.new_tensor(np.concatenate([array.ravel() for array in arrays]))
    parts = numbers.split([array.size for array in arrays])
    return [part.view(array.shape) for part, array in zip(parts, arrays, strict=True)]


def by_cell(maps_NCHW: Tensor) -> Tensor:
    """Return maps as a table of cells (N*H*W, C); nothing is copied of those that lie by cell in memory."""
    return maps_NCHW.permute(0, 2, 3, 1).flatten(0, 2)


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
    """Return the points (N, 3, H, W), metres in a, of depth maps seen from cameras in a."""
    height, width = depths_NHW.shape[1:]
    depths_N1HW = depths_NHW[:, None]
    points_N3HW = torch.cat([grid_rays(intrinsics_N33, height, width) * depths_N1HW, depths_N1HW], dim=1)
    a_R_camera_N33, a_t_camera_N31 = a_T_camera_N44[:, :3, :3], a_T_camera_N44[:, :3, 3:]
    points_N3P = torch.baddbmm(a_t_camera_N31, a_R_camera_N33, points_N3HW.flatten(2))
    return points_N3P.unflatten(2, (height, width))
