"""Fusion of correlations with the previous frame of a video [paper 3.3.1 eq. 3; method 6]."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from dsm_ros.geometry.pose import Pose44, invert
from dsm_ros.network.cost_volume import MIN_DEPTH_M, project
from dsm_ros.network.features import ImageFeatures, Scene
from dsm_ros.network.grids import by_cell
from dsm_ros.network.surface import grid_camera

ALPHA_OFFSET = 0.4


@dataclass(frozen=True)
class PreviousFrame:
    """Features, estimated pose and timestamp of the last localized image."""

    features: ImageFeatures
    map_T_camera: Pose44
    stamp_ns: int


def is_just_before(previous_ns: int, stamp_ns: int, max_gap_s: float) -> bool:
    """Return whether a timestamp is later than the previous timestamp, by at most a gap."""
    return 0 < (stamp_ns - previous_ns) / 1e9 <= max_gap_s


def scene_weight(confidence: float) -> float:
    """Return alpha = min(confidence + 0.4, 1), the weight of the scene's correlation; with 1, nothing is fused."""
    return min(confidence + ALPHA_OFFSET, 1.0)


def fuse_previous(scene: Scene, previous: PreviousFrame, alpha: float, level: int) -> Scene:
    """Blend the features of a level's scene cells with the previous frame's features at their projections, if visible.

    By linearity the correlation with a blended feature is alpha * scene correlation + (1 - alpha) * temporal
    correlation. Blending features costs one operation per scene cell instead of one per candidate. level: index of the
    pyramid level; the other levels do not change.
    """
    cells = scene.levels[level]
    pixels_P2, seen_P = _projections(scene, previous, level)
    sampled_PC = F.normalize(sample(previous.features.levels[level], pixels_P2), dim=1)
    blended_PC = by_cell(cells.features_NCHW).lerp(sampled_PC, (1 - alpha) * seen_P[:, None])
    levels = list(scene.levels)
    features_NCHW = blended_PC.unflatten(0, cells.valid_NHW.shape).permute(0, 3, 1, 2)
    levels[level] = replace(cells, features_NCHW=features_NCHW)
    return replace(scene, levels=tuple(levels))


def _projections(scene: Scene, previous: PreviousFrame, level: int) -> tuple[Tensor, Tensor]:
    """Return the pixel (P, 2) of each scene cell of a level on the previous frame's grid, and whether it is visible."""
    cells, previous_CHW = scene.levels[level], previous.features.levels[level]
    height, width = previous_CHW.shape[1:]
    camera_T_local = invert(previous.map_T_camera) @ scene.map_T_local
    grid = grid_camera(previous_CHW, previous.features.camera, camera_T_local, height, width)
    pixels_P2, depths_P = project(by_cell(cells.coords_N3HW), grid.projection_34)
    u_P, v_P = pixels_P2.unbind(1)
    inside_P = (u_P >= -0.5) & (v_P >= -0.5) & (u_P <= width - 0.5) & (v_P <= height - 0.5)
    return pixels_P2, inside_P & (depths_P > MIN_DEPTH_M) & cells.valid_NHW.flatten()


def sample(features_CHW: Tensor, pixels_P2: Tensor) -> Tensor:
    """Return bilinearly interpolated features (P, C); points beyond the border have the features of the border.

    A weighted sum of four rows of a table is three times as fast as grid_sample.
    """
    height, width = features_CHW.shape[1:]
    u_P1, v_P1 = pixels_P2[:, :1].clamp(0, width - 1), pixels_P2[:, 1:].clamp(0, height - 1)
    low_u_P1, low_v_P1 = u_P1.floor(), v_P1.floor()
    corner_4 = torch.arange(4, device=pixels_P2.device)
    right_4, below_4 = corner_4 % 2, corner_4 // 2
    weights_P4 = (1 - right_4 - (u_P1 - low_u_P1)).abs() * (1 - below_4 - (v_P1 - low_v_P1)).abs()
    u_P4, v_P4 = (low_u_P1 + right_4).clamp(max=width - 1).long(), (low_v_P1 + below_4).clamp(max=height - 1).long()
    table_SC = by_cell(features_CHW[None])
    return F.embedding_bag(v_P4 * width + u_P4, table_SC, per_sample_weights=weights_P4, mode="sum")
