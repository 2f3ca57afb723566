"""Correlation of query and scene features, and the K best candidates of each query cell [paper 3.3.1].

Tensors here have the candidate axis last and contiguous, which makes top-K several times faster:
P = query cells (row-major), M = candidates of one cell, K = candidates kept, N = scene images.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from dsm_ros.network.features import SceneLevel, by_cell

INVALID_SCORE = -2.0  # below every cosine, so that padding never outranks a real candidate (DSM_FACTS 7.3)
MIN_DEPTH_M = 0.1
TIE_PX = 0.01  # coarse centres lie exactly between two fine cells: the last bit must not decide
TILE_NUMBERS = 2**22  # gathered at once; all of them would be gigabytes for windows of 13 x 13
SHIFTS = 9  # of a cell and its neighbours


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
    scores_PM = (query_CHW / SHIFTS).flatten(1).T @ by_cell(level.features_NCHW).T
    sums_PM = sum_shifted_pairs(scores_PM.view(height, width, *level.valid_NHW.shape)).flatten(2).flatten(0, 1)
    limit_M = torch.where(level.valid_NHW.flatten(), torch.inf, INVALID_SCORE)
    return Candidates(sums_PM.clamp_(max=limit_M))  # a masked_fill_, ten times as fast


def sum_shifted_pairs(scores_HWNhw: Tensor) -> Tensor:
    """Add to each pair's score those of the pairs that both shift to, over 3x3 shifts.

    Neighbours in the query should match neighbours in the scene: it enlarges the context of each cell
    to 3x3 at the price of four additions.
    """
    rows = scores_HWNhw.clone()
    rows[1:, :, :, 1:] += scores_HWNhw[:-1, :, :, :-1]
    rows[:-1, :, :, :-1] += scores_HWNhw[1:, :, :, 1:]
    total = rows.clone()
    total[:, 1:, :, :, 1:] += rows[:, :-1, :, :, :-1]
    total[:, :-1, :, :, :-1] += rows[:, 1:, :, :, 1:]
    return total


def correlate_windows(query_CHW: Tensor, level: SceneLevel, initial_P3: Tensor, radius: int) -> Candidates:
    """Score the (2 radius + 1)^2 scene cells around each initial coordinate's projection in every image.

    initial_P3: metres, local frame. Cells outside an image, behind its camera or without depth are invalid.
    """
    query_PC = query_CHW.flatten(1).T.contiguous()
    cells_PM, valid_PM = window_cells(initial_P3, level, radius)
    scores_PM = score_cells(query_PC, by_cell(level.features_NCHW), cells_PM)
    return Candidates(scores_PM.masked_fill(~valid_PM, INVALID_SCORE), cells_PM)


def score_cells(query_PC: Tensor, scene_SC: Tensor, cells_PM: Tensor) -> Tensor:
    """Return the products (P, M) of each query cell with some scene cells."""
    larger_than_scene = cells_PM.shape[1] > len(scene_SC)  # sparse products take no more entries than there are places
    if not query_PC.is_cpu or torch.is_grad_enabled() or larger_than_scene:
        return _score_gathered(query_PC, scene_SC, cells_PM)
    # As the entries wanted of a sparse product: features are read where they lie, ten times as fast.
    rows, columns = cells_PM.shape
    entries = torch.arange(0, rows * columns + 1, columns), cells_PM.flatten(), query_PC.new_zeros(rows * columns)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that this layout of tensors is new
        wanted = torch.sparse_csr_tensor(*entries, (rows, len(scene_SC)), check_invariants=False)
    return torch.sparse.sampled_addmm(wanted, query_PC, scene_SC.T, beta=0).values().view(rows, columns)


def _score_gathered(query_PC: Tensor, scene_SC: Tensor, cells_PM: Tensor) -> Tensor:
    """Gather the features and multiply, with gradients, in tiles that fit into a cache."""
    rows = max(1, TILE_NUMBERS // (cells_PM.shape[1] * query_PC.shape[1]))
    tiles = zip(query_PC.split(rows), cells_PM.split(rows), strict=True)
    return torch.cat([torch.bmm(scene_SC[cells_TM], query_TC[..., None])[..., 0] for query_TC, cells_TM in tiles])


def window_cells(points_P3: Tensor, level: SceneLevel, radius: int) -> tuple[Tensor, Tensor]:
    """Return cells_PM (index into N*h*w) around the projections of points in all images, and which of them count.

    They are looked up in a grid with a margin around each image, wide enough for windows next to it.
    """
    height, width = level.valid_NHW.shape[1:]
    margin = 2 * radius + 1
    cell_NHW = torch.arange(level.valid_NHW.numel(), device=points_P3.device).view_as(level.valid_NHW)
    table = F.pad(cell_NHW.masked_fill(~level.valid_NHW, -1), (margin,) * 4, value=-1)
    pixels_NP2, front_NP = project(points_P3, level.intrinsics_N33, level.camera_T_local_N44)
    beside = -(radius + 1)
    u_NP, v_NP = (pixels_NP2 + TIE_PX).round().clamp(-1e4, 1e4).long().unbind(2)
    u_NP = u_NP.clamp(beside, width + radius).masked_fill(~front_NP, beside) + margin
    v_NP = v_NP.clamp(beside, height + radius) + margin
    images_N = torch.arange(len(table), device=points_P3.device)[:, None] * table[0].numel()
    centres_NP = images_N + v_NP * table.shape[2] + u_NP
    steps_D = torch.arange(-radius, radius + 1, device=points_P3.device)
    offsets_M = (steps_D[:, None] * table.shape[2] + steps_D).flatten()
    cells_PM = table.flatten()[(centres_NP.T[..., None] + offsets_M).flatten(1)]
    return cells_PM.clamp(min=0), cells_PM >= 0


def project(points_P3: Tensor, intrinsics_N33: Tensor, camera_T_local_N44: Tensor) -> tuple[Tensor, Tensor]:
    """Return pixels_NP2 on each camera's grid and front_NP, whether a point is before it; NaN counts as behind.

    Cameras may also be a single one, without N.
    """
    turned_NP3 = points_P3 @ camera_T_local_N44[..., :3, :3].mT
    camera_NP3 = turned_NP3 + camera_T_local_N44[..., None, :3, 3]
    front_NP = camera_NP3[..., 2] > MIN_DEPTH_M
    camera_NP3 = torch.where(front_NP[..., None], camera_NP3, 1.0)
    pixels_NP3 = camera_NP3 @ intrinsics_N33.mT
    return pixels_NP3[..., :2] / pixels_NP3[..., 2:], front_NP


def keep_best(candidates: Candidates, level: SceneLevel, count: int) -> CostVolume:
    """Sort candidates by score and keep the best K of each query cell; missing ones are invalid."""
    kept = min(count, candidates.scores_PM.shape[1])
    scores_PK, order_PK = candidates.scores_PM.topk(kept, dim=1)
    if kept < count:
        scores_PK = F.pad(scores_PK, (0, count - kept), value=INVALID_SCORE)
        order_PK = F.pad(order_PK, (0, count - kept))
    cells_PK = order_PK if candidates.cells_PM is None else candidates.cells_PM.gather(1, order_PK)
    valid_PK = scores_PK > INVALID_SCORE
    coords_PK3 = by_cell(level.coords_N3HW)[cells_PK] * valid_PK[..., None]
    return CostVolume(scores_PK * valid_PK, coords_PK3, valid_PK, cells_PK)
