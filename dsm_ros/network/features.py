"""Features of images and keyframes, and the scenes that queries are matched against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

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
    """One encoded keyframe: its features, the depth of each cell, and its pose.

    depths: per level (h, w) float32 metres along z at the cell's centre, 0 = unknown.
    """

    image: ImageFeatures
    depths: tuple[Tensor, ...]
    map_T_camera: Pose44


@dataclass(frozen=True)
class SceneSurface:
    """Surface in the retrieved images at one pyramid level, in the local frame of the scene.

    coords_N3HW metres, local frame; valid_NHW True where depth is known; intrinsics_N33 at this level's grid;
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

    def split(self, images: Sequence[int]) -> list[SceneLevel]:
        """Return the levels of several scenes with given numbers of images."""
        return [SceneLevel(*parts) for parts in zip(*(part.split(images) for part in vars(self).values()), strict=True)]

    @classmethod
    def join(cls, levels: Sequence[SceneLevel]) -> SceneLevel:
        """Return the images of several scenes, one scene after the other."""
        if len(levels) == 1:
            return levels[0]
        return cls(*(torch.cat(parts) for parts in zip(*(vars(level).values() for level in levels), strict=True)))


@dataclass(frozen=True)
class Scene:
    """The retrieved images at every level, coarse to fine, in a local frame near them [method 2].

    map_T_local: 4x4 float64; map coordinates never enter the network because float32 is too coarse far from 0.
    mean_3, deviation: mean and standard deviation of all coordinates, m; the three axes share one standard deviation,
    which does not depend on the orientation of the frame.
    """

    levels: tuple[SceneLevel, ...]
    map_T_local: Pose44
    mean_3: Tensor
    deviation: Tensor


@dataclass(frozen=True)
class SceneFrames:
    """Normalisation of coordinates in the local frames of B scenes: mean_B3 and deviation_B, m."""

    mean_B3: Tensor
    deviation_B: Tensor

    @classmethod
    def of(cls, scenes: Sequence[Scene]) -> SceneFrames:
        """Return the normalisation of some scenes."""
        return cls(torch.stack([scene.mean_3 for scene in scenes]), torch.stack([scene.deviation for scene in scenes]))

    def normalise(self, coords_BX3HW: Tensor) -> Tensor:
        """Return coordinates (B, ..., 3, H, W) in m with zero mean and unit standard deviation over each scene."""
        mean, deviation = self._like(coords_BX3HW)
        return (coords_BX3HW - mean) / deviation

    def metric(self, coords_BX3HW: Tensor) -> Tensor:
        """Return normalised coordinates (B, ..., 3, H, W) in metres."""
        mean, deviation = self._like(coords_BX3HW)
        return coords_BX3HW * deviation + mean

    def _like(self, coords_BX3HW: Tensor) -> tuple[Tensor, Tensor]:
        inner = (1,) * (coords_BX3HW.dim() - 4)
        return self.mean_B3.view(-1, *inner, 3, 1, 1), self.deviation_B.view(-1, *inner, 1, 1, 1)


def gather_scene(keyframes: Sequence[KeyframeFeatures], map_T_local: Pose44 | None = None) -> Scene:
    """Stack keyframes into a scene in a local frame, by default that of the first one's camera [method 2].

    Raises ValueError without keyframes or when their grids differ.
    """
    if not keyframes:
        raise ValueError("a scene needs at least one keyframe")
    return gather_scenes([keyframes], [keyframes[0].map_T_camera if map_T_local is None else map_T_local])[0]


def gather_scenes(groups: Sequence[Sequence[KeyframeFeatures]], maps_T_local: Sequence[Pose44]) -> list[Scene]:
    """Stack each group of keyframes into a scene in its local frame; all groups are computed in one pass."""
    keyframes, images = list(chain.from_iterable(groups)), [len(group) for group in groups]
    levels = range(len(keyframes[0].depths))
    placement = _placement(keyframes, np.repeat(np.stack(maps_T_local), images, axis=0), levels)
    surfaces = _surfaces(keyframes, levels, beside(keyframes[0].depths[0].float(), *placement))
    gathered = [_with_features(surface, keyframes, level).split(images) for level, surface in enumerate(surfaces)]
    mean_B3, deviation_B = _means_and_deviations(surfaces[0], images)
    return [
        Scene(tuple(levels), map_T_local, mean_3, deviation)
        for *levels, map_T_local, mean_3, deviation in zip(*gathered, maps_T_local, mean_B3, deviation_B, strict=True)
    ]


def _with_features(surface: SceneSurface, keyframes: Sequence[KeyframeFeatures], level: int) -> SceneLevel:
    features_NHWC = torch.stack([k.image.levels[level].permute(1, 2, 0) for k in keyframes]).float()
    features_NCHW = features_NHWC.permute(0, 3, 1, 2)  # by cell in memory, which is how windows read them
    return SceneLevel(**vars(surface), features_NCHW=features_NCHW)


def _means_and_deviations(surface: SceneSurface, images: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Return the mean (B, 3) and the standard deviation (B,) of the coordinates of scenes with given numbers of images.

    They are 0 and 1 where a scene has fewer than two coordinates.
    """
    known_N1HW = surface.valid_NHW[:, None]
    coords_N3HW = torch.where(known_N1HW, surface.coords_N3HW, 0.0).double()
    sums_N7 = torch.cat([part.flatten(2).sum(2) for part in (known_N1HW, coords_N3HW, coords_N3HW.square())], dim=1)
    sums_B7 = torch.stack([sums_N7.sum(0) for sums_N7 in sums_N7.split(images)])
    count_B1 = sums_B7[:, :1].clamp(min=1)
    mean_B3 = sums_B7[:, 1:4] / count_B1
    variance_B3 = sums_B7[:, 4:] / count_B1 - mean_B3.square()
    deviation_B = variance_B3.mean(1).clamp(min=0).sqrt().clamp(min=MIN_DEVIATION_M)
    enough_B = sums_B7[:, 0] >= 2
    mean_B3 = torch.where(enough_B[:, None], mean_B3, 0.0)
    return mean_B3.float(), torch.where(enough_B, deviation_B, 1.0).float()


def gather_surface(keyframes: Sequence[KeyframeFeatures], level: int, map_T_local: Pose44) -> SceneSurface:
    """Stack the surface in keyframes at one pyramid level, 0 the coarsest, in a local frame."""
    placement = _placement(keyframes, map_T_local, [level])
    return _surfaces(keyframes, [level], beside(keyframes[0].depths[level].float(), *placement))[0]


def _placement(
    keyframes: Sequence[KeyframeFeatures], map_T_local: Pose44, levels: Sequence[int]
) -> list[NDArray[np.floating]]:
    """Return local_T_camera_N44, camera_T_local_N44 and, for each level, intrinsics_N33.

    map_T_local: of all keyframes, or (N, 4, 4).
    """
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
    """Return arrays as tensors of the given tensor's type and device, copied to the device in one piece."""
    numbers = tensor.new_tensor(np.concatenate([array.ravel() for array in arrays]))
    parts = numbers.split([array.size for array in arrays])
    return [part.view(array.shape) for part, array in zip(parts, arrays, strict=True)]


def by_cell(maps_NCHW: Tensor) -> Tensor:
    """Return maps as a table of cells (N*H*W, C), without a copy where the memory format is channels last."""
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
