"""Features of images and keyframes, and the scenes that queries are matched against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
import torch
from torch import Tensor

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44
from dsm_ros.network.grids import back_projections, backproject, beside, grid_matrices
from dsm_ros.network.recorded import recorded


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

    coords_N3HW metres, local frame; valid_NHW True where depth is known; projection_N34 = K [R | t], float32, from the
    local frame to the cells of each image.
    """

    coords_N3HW: Tensor
    valid_NHW: Tensor
    projection_N34: Tensor


@dataclass(frozen=True)
class SceneLevel(SceneSurface):
    """The retrieved images at one pyramid level.

    features_NCHW: unit along C, unless they are blended with the features of the previous frame.
    """

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
    """Features and coordinates of the retrieved images at every level, coarse to fine, in a local frame [method 2].

    map_T_local: pose of the local frame, near the images, 4x4 float64; map coordinates never enter the network because
    float32 is too coarse far from 0.
    """

    levels: tuple[SceneLevel, ...]
    map_T_local: Pose44


def gather_scene(keyframes: Sequence[KeyframeFeatures], map_T_local: Pose44 | None = None) -> Scene:
    """Stack keyframes into a scene in a local frame, by default the first keyframe's camera frame [method 2].

    Raises ValueError without keyframes or when their grids differ.
    """
    if not keyframes:
        raise ValueError("a scene needs at least one keyframe")
    return gather_scenes([keyframes], [keyframes[0].map_T_camera if map_T_local is None else map_T_local])[0]


def gather_scenes(groups: Sequence[Sequence[KeyframeFeatures]], maps_T_local: Sequence[Pose44]) -> list[Scene]:
    """Stack each group of keyframes into a scene in its local frame; all groups are computed in one pass."""
    keyframes, images = list(chain.from_iterable(groups)), [len(group) for group in groups]
    cameras = keyframe_cameras(keyframes, np.repeat(np.stack(maps_T_local), images, axis=0))
    features, depths = [k.image.levels for k in keyframes], [k.depths for k in keyframes]
    gathered = [level.split(images) for level in _stack_levels(features, depths, cameras)]
    return [Scene(levels, pose) for levels, pose in zip(zip(*gathered, strict=True), maps_T_local, strict=True)]


@recorded
def _stack_levels(
    features: Sequence[Sequence[Tensor]],
    depths: Sequence[Sequence[Tensor]],
    cameras: Sequence[GridCameras],
) -> list[SceneLevel]:
    """Return the pyramid levels of all keyframes; features, depths: of each keyframe, per level."""
    surfaces = [stack_surface(*pair) for pair in zip(zip(*depths, strict=True), cameras, strict=True)]
    return [_with_features(*pair) for pair in zip(surfaces, zip(*features, strict=True), strict=True)]


def _with_features(surface: SceneSurface, features: Sequence[Tensor]) -> SceneLevel:
    features_NHWC = torch.stack([features_CHW.permute(1, 2, 0) for features_CHW in features]).float()
    features_NCHW = features_NHWC.permute(0, 3, 1, 2)  # contiguous by cell, because windows read whole cells
    return SceneLevel(**vars(surface), features_NCHW=features_NCHW)


@dataclass(frozen=True)
class GridCameras:
    """N cameras over the grid of one pyramid level, in the local frame of a scene, float32.

    projection_N34: K [R | t], from the local frame to the grid. back_projection_N34: see ``back_projections``.
    """

    projection_N34: Tensor
    back_projection_N34: Tensor


def keyframe_cameras(keyframes: Sequence[KeyframeFeatures], map_T_local: Pose44) -> list[GridCameras]:
    """Return the cameras of keyframes at each level in one local frame, or each in its own (4x4 or (N, 4, 4))."""
    local_T_camera_N44 = np.linalg.inv(map_T_local) @ np.stack([keyframe.map_T_camera for keyframe in keyframes])
    camera_T_local_N34 = np.linalg.inv(local_T_camera_N44)[:, :3]
    matrices = []
    for depths_HW in keyframes[0].depths:
        intrinsics_N33 = grid_matrices([keyframe.image.camera for keyframe in keyframes], *depths_HW.shape)
        matrices += [intrinsics_N33 @ camera_T_local_N34, back_projections(intrinsics_N33, local_T_camera_N44)]
    tensors = beside(keyframes[0].depths[0].float(), *matrices)
    return [GridCameras(*pair) for pair in zip(tensors[::2], tensors[1::2], strict=True)]


def stack_surface(depths: Sequence[Tensor], cameras: GridCameras) -> SceneSurface:
    """Stack the depths (h, w) of keyframes at one pyramid level into a surface in the local frame of their cameras."""
    depths_NHW = torch.stack(list(depths)).float()
    coords_N3HW = backproject(depths_NHW, cameras.back_projection_N34)
    return SceneSurface(coords_N3HW, depths_NHW > 0, cameras.projection_N34)
