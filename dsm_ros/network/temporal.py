"""Correlation fusion with the previous frame of a video [paper 3.3.1, eq. 3; DSM_FACTS 11.3]."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44, invert
from dsm_ros.network.cost_volume import project
from dsm_ros.network.features import ImageFeatures, Scene, SceneLevel

ALPHA_OFFSET = 0.4


@dataclass(frozen=True)
class PreviousFrame:
    """The last localized image: its features and its estimated pose."""

    features: ImageFeatures
    map_T_camera: Pose44
    stamp_ns: int

    def is_just_before(self, stamp_ns: int, max_gap_s: float) -> bool:
        """Return whether a time is after this frame's, and soon."""
        return 0 < (stamp_ns - self.stamp_ns) / 1e9 <= max_gap_s


def scene_weight(certainty: float) -> float:
    """Return alpha = min(s + 0.4, 1), the weight of the scene's correlation; 1 means fusion changes nothing."""
    return min(certainty + ALPHA_OFFSET, 1.0)


def fuse_previous(scene: Scene, previous: PreviousFrame, alpha: float) -> Scene:
    """Blend each scene cell's feature with the previous frame's at the cell's projection, where it is visible.

    By linearity this is alpha * scene correlation + (1 - alpha) * temporal correlation, computed once per
    scene cell instead of once per candidate.
    """
    camera_T_local = invert(previous.map_T_camera) @ scene.map_T_local
    levels = (
        _fuse_level(level, features_CHW, previous.features.camera, camera_T_local, alpha)
        for level, features_CHW in zip(scene.levels, previous.features.levels, strict=True)
    )
    return replace(scene, levels=tuple(levels))


def _fuse_level(
    level: SceneLevel, previous_CHW: Tensor, camera: Camera, camera_T_local: Pose44, alpha: float
) -> SceneLevel:
    height, width = previous_CHW.shape[1:]
    intrinsics_33 = previous_CHW.new_tensor(camera.resized(width, height).matrix_33)
    points_P3 = level.coords_N3HW.permute(0, 2, 3, 1).reshape(-1, 3)
    pixels_P2, front_P = project(points_P3, intrinsics_33, previous_CHW.new_tensor(camera_T_local))
    size_2 = previous_CHW.new_tensor([width, height])
    inside_P = front_P & (pixels_P2 >= -0.5).all(1) & (pixels_P2 <= size_2 - 0.5).all(1)
    grid_P2 = (pixels_P2 + 0.5) / size_2 * 2 - 1
    sampled_CP = F.grid_sample(previous_CHW[None], grid_P2[None, None], padding_mode="border", align_corners=False)[
        0, :, 0
    ]
    sampled_NCHW = F.normalize(sampled_CP, dim=0).unflatten(1, level.valid_NHW.shape).transpose(0, 1)
    visible_N1HW = inside_P.view(level.valid_NHW.shape)[:, None] & level.valid_NHW[:, None]
    blended_NCHW = alpha * level.features_NCHW + (1 - alpha) * sampled_NCHW
    return replace(level, features_NCHW=torch.where(visible_N1HW, blended_NCHW, level.features_NCHW))
