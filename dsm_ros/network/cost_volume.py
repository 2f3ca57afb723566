"""Correlation of query and scene features, and the K best candidates of each query cell [paper 3.3.1].

Tensors here have the candidate axis last and contiguous, which makes top-K several times faster:
P = query cells (row-major), M = candidates of one cell, K = candidates kept, N = scene images.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from dsm_ros.network.features import SceneLevel

INVALID_SCORE = -2.0  # below every cosine, so that padding never outranks a real candidate (DSM_FACTS 7.3)
MIN_DEPTH_M = 0.1
TILE_NUMBERS = 2**24  # gathered at once; all of them would be gigabytes for windows of 13 x 13


@dataclass(frozen=True)
class Candidates:
    """All candidates of every query cell: scores_PM (cosine or INVALID_SCORE), cells_PM into N*h*w (None = all)."""

    scores_PM: Tensor
    cells_PM: Tensor | None = None


@dataclass(frozen=True)
class CostVolume:
    """The K best candidates of every query cell, best first.

    scores_PK cosine; coords_PK3 metres, local frame; valid_PK; cells_PK index into the scene's N*h*w cells.
    Invalid entries have score 0 and coordinate 0.
    """

    scores_PK: Tensor
    coords_PK3: Tensor
    valid_PK: Tensor
    cells_PK: Tensor


def correlate_all_pairs(query_CHW: Tensor, level: SceneLevel) -> Candidates:
    """Score every scene cell against every query cell, each pair supported by its neighbours."""
    height, width = query_CHW.shape[1:]
    scores_PM = query_CHW.flatten(1).T @ level.features_NCHW.transpose(0, 1).flatten(1)
    scores_PM = average_shifted_pairs(scores_PM.view(height, width, *level.valid_NHW.shape)).flatten(2).flatten(0, 1)
    return Candidates(scores_PM.masked_fill(~level.valid_NHW.flatten(), INVALID_SCORE))


def average_shifted_pairs(scores_HWNhw: Tensor) -> Tensor:
    """Average each pair's score with the pairs that both shift to, over 3x3 shifts.

    Neighbours in the query should match neighbours in the scene: it enlarges the context of each cell
    to 3x3 at the price of eight additions.
    """
    rows = scores_HWNhw.clone()
    rows[1:, :, :, 1:] += scores_HWNhw[:-1, :, :, :-1]
    rows[:-1, :, :, :-1] += scores_HWNhw[1:, :, :, 1:]
    total = rows.clone()
    total[:, 1:, :, :, 1:] += rows[:, :-1, :, :, :-1]
    total[:, :-1, :, :, :-1] += rows[:, 1:, :, :, 1:]
    return total / 9


def correlate_windows(query_CHW: Tensor, level: SceneLevel, initial_P3: Tensor, radius: int) -> Candidates:
    """Score the (2 radius + 1)^2 scene cells around each initial coordinate's projection in every image.

    initial_P3: metres, local frame. Cells outside an image, behind its camera or without depth are invalid.
    """
    query_PC = query_CHW.flatten(1).T.contiguous()
    count, _, height, width = level.features_NCHW.shape
    scene_NPC = level.features_NCHW.flatten(2).transpose(1, 2).contiguous()
    scores, cells = [], []
    for n in range(count):
        cells_PM, inside_PM = window_cells(initial_P3, level, n, radius)
        scores_PM = score_cells(query_PC, scene_NPC[n], cells_PM)
        valid_PM = inside_PM & level.valid_NHW[n].flatten()[cells_PM]
        scores.append(scores_PM.masked_fill(~valid_PM, INVALID_SCORE))
        cells.append(cells_PM + n * height * width)
    return Candidates(torch.cat(scores, dim=1), torch.cat(cells, dim=1))


def score_cells(query_PC: Tensor, scene_SC: Tensor, cells_PM: Tensor) -> Tensor:
    """Return the products (P, M) of each query cell with some scene cells, in tiles that fit into a cache."""
    rows = max(1, TILE_NUMBERS // (cells_PM.shape[1] * query_PC.shape[1]))
    tiles = zip(query_PC.split(rows), cells_PM.split(rows), strict=True)
    return torch.cat([torch.bmm(scene_SC[cells_TM], query_TC[..., None])[..., 0] for query_TC, cells_TM in tiles])


def window_cells(points_P3: Tensor, level: SceneLevel, image: int, radius: int) -> tuple[Tensor, Tensor]:
    """Return cells_PM (index into h*w of one image) around the projections of points, and whether each is inside."""
    height, width = level.valid_NHW.shape[1:]
    pixels_P2, front_P = project(points_P3, level.intrinsics_N33[image], level.camera_T_local_N44[image])
    centre_P2 = pixels_P2.round().clamp(-1e4, 1e4).long()
    offsets_D = torch.arange(-radius, radius + 1, device=points_P3.device)
    u_PM = (centre_P2[:, 0, None, None] + offsets_D).expand(-1, len(offsets_D), -1).flatten(1)
    v_PM = (centre_P2[:, 1, None, None] + offsets_D[:, None]).expand(-1, -1, len(offsets_D)).flatten(1)
    inside_PM = (u_PM >= 0) & (u_PM < width) & (v_PM >= 0) & (v_PM < height) & front_P[:, None]
    return v_PM.clamp(0, height - 1) * width + u_PM.clamp(0, width - 1), inside_PM


def project(points_P3: Tensor, intrinsics_33: Tensor, camera_T_local_44: Tensor) -> tuple[Tensor, Tensor]:
    """Return pixels_P2 on the camera's grid and front_P, whether the point is in front of it; NaN counts as behind."""
    camera_P3 = points_P3 @ camera_T_local_44[:3, :3].T + camera_T_local_44[:3, 3]
    front_P = camera_P3[:, 2] > MIN_DEPTH_M
    camera_P3 = torch.where(front_P[:, None], camera_P3, torch.ones_like(camera_P3))
    pixels_P3 = camera_P3 @ intrinsics_33.T
    return pixels_P3[:, :2] / pixels_P3[:, 2:], front_P


def keep_best(candidates: Candidates, level: SceneLevel, count: int) -> CostVolume:
    """Sort candidates by score and keep the best K of each query cell; missing ones are invalid."""
    kept = min(count, candidates.scores_PM.shape[1])
    scores_PK, order_PK = candidates.scores_PM.topk(kept, dim=1)
    if kept < count:
        scores_PK = F.pad(scores_PK, (0, count - kept), value=INVALID_SCORE)
        order_PK = F.pad(order_PK, (0, count - kept))
    cells_PK = order_PK if candidates.cells_PM is None else candidates.cells_PM.gather(1, order_PK)
    valid_PK = scores_PK > INVALID_SCORE
    coords_M3 = level.coords_N3HW.flatten(2).transpose(1, 2).reshape(-1, 3)
    coords_PK3 = coords_M3[cells_PK] * valid_PK[..., None]
    return CostVolume(scores_PK * valid_PK, coords_PK3, valid_PK, cells_PK)
