"""Correlation of query and scene features, and the K best candidates of each query cell [paper 3.3.1; method 4].

B queries whose scenes have equal numbers of images are matched in one pass. In this pass, a ``SceneLevel`` contains the
images of the first query's scene, then the images of the second query's scene, and so on. The last axis is the
candidates, contiguous in memory, which makes top-K several times faster. P = cells of all queries (query by query,
row-major), M = candidates of one cell, K = candidates kept, N = images of all scenes, S = N * h * w scene cells.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from dsm_ros.network.features import SceneLevel
from dsm_ros.network.grids import by_cell

INVALID_SCORE = -2.0  # below every cosine, so that padding never outranks a real candidate
MIN_DEPTH_M = 0.1  # minimum depth of a point in front of a camera
TIE_PX = 0.01  # shift of projections, because the centre of a coarse cell may lie exactly between two fine cells
TILE_NUMBERS = 2**22  # numbers gathered at once; gathering all numbers would take gigabytes for windows of 13 x 13
SHIFTS = 9  # number of shifts within a cell's 3x3 neighbourhood


@dataclass(frozen=True)
class Candidates:
    """All candidates of every cell of a batch of queries.

    scores_PM: cosine or INVALID_SCORE. cells_PM: index in S of each candidate's scene cell; None = the M cells of the
    query's own scene, in order. many: there are enough cells_PM to tell whether a cell matches only one place.
    """

    scores_PM: Tensor
    cells_PM: Tensor | None = None
    queries: int = 1
    many: bool = False

    def cells(self, order_PK: Tensor) -> Tensor:
        """Return the scene cells (P, K) of the candidates with the given numbers in 0..M-1."""
        if self.cells_PM is not None:
            return self.cells_PM.gather(1, order_PK)
        per_query, in_scene = len(order_PK) // self.queries, self.scores_PM.shape[1]
        first_B1 = torch.arange(self.queries, device=order_PK.device)[:, None] * in_scene
        return order_PK + first_B1.expand(-1, per_query).reshape(-1, 1)


@dataclass(frozen=True)
class CostVolume:
    """The K best candidates of every query cell, best first.

    scores_PK cosine; coords_PK3 metres, local frame; valid_PK; cells_PK index into S.
    Invalid entries have score 0 and coordinate 0.
    """

    scores_PK: Tensor
    coords_PK3: Tensor
    valid_PK: Tensor
    cells_PK: Tensor


def correlate_all_pairs(query_BCHW: Tensor, level: SceneLevel) -> Candidates:
    """Score every cell of each query's scene against every query cell, as the mean over the 3x3 shifted pairs."""
    queries, _, height, width = query_BCHW.shape
    scene_BMC = by_cell(level.features_NCHW).unflatten(0, (queries, -1))
    scores_BPM = (query_BCHW / SHIFTS).flatten(2).mT @ scene_BMC.mT
    images = len(level.valid_NHW) // queries
    pairs = scores_BPM.view(queries, height, width, images, *level.valid_NHW.shape[1:])
    limit_B1M = torch.where(level.valid_NHW.view(queries, 1, -1), torch.inf, INVALID_SCORE)
    sums_BPM = sum_shifted_pairs(pairs).view_as(scores_BPM).clamp_(max=limit_B1M)  # masked_fill_ is ten times slower
    return Candidates(sums_BPM.flatten(0, 1), queries=queries)


def sum_shifted_pairs(scores_BHWNhw: Tensor) -> Tensor:
    """Sum the scores of each pair of cells over the 3x3 shifts of both cells.

    Neighbours in the query should match neighbours in the scene. Four additions enlarge the context of each cell to 3x3
    cells.
    """
    rows = scores_BHWNhw.clone()
    rows[:, 1:, :, :, 1:] += scores_BHWNhw[:, :-1, :, :, :-1]
    rows[:, :-1, :, :, :-1] += scores_BHWNhw[:, 1:, :, :, 1:]
    total = rows.clone()
    total[..., 1:, :, :, 1:] += rows[..., :-1, :, :, :-1]
    total[..., :-1, :, :, :-1] += rows[..., 1:, :, :, 1:]
    return total


def correlate_windows(query_BCHW: Tensor, level: SceneLevel, initial_BP3: Tensor, radius: int) -> Candidates:
    """Score the (2 radius + 1)^2 scene cells around each initial coordinate's projection in every image.

    initial_BP3: metres, local frame. Cells outside an image, behind its camera or without depth are invalid.
    """
    query_PC = by_cell(query_BCHW).contiguous()
    cells_PM = window_cells(initial_BP3, level, radius)
    invalid_PM, cells_PM = cells_PM < 0, cells_PM.clamp_(min=0)
    scores_PM = score_cells(query_PC, by_cell(level.features_NCHW), cells_PM)
    return Candidates(scores_PM.masked_fill_(invalid_PM, INVALID_SCORE), cells_PM, len(query_BCHW))


def correlate_neighbourhoods(query_BCHW: Tensor, level: SceneLevel, expected_BP3: Tensor, radius: int) -> Candidates:
    """Score windows as ``correlate_windows`` does, each pair supported by its neighbours as in ``correlate_all_pairs``.

    expected_BP3: the expected surface on the ray of each query cell, so that the windows of neighbouring query cells
    contain neighbouring scene cells at the same offsets.
    """
    alone = correlate_windows(query_BCHW, level, expected_BP3, radius)
    valid_PM = alone.scores_PM > INVALID_SCORE
    scores_PM = torch.where(valid_PM, alone.scores_PM, 0.0)
    scores_BMHW = scores_PM.view(len(query_BCHW), *query_BCHW.shape[2:], -1).permute(0, 3, 1, 2)
    means_PM = by_cell(F.avg_pool2d(scores_BMHW, 3, stride=1, padding=1))
    supported_PM = torch.where(valid_PM, means_PM, INVALID_SCORE)
    return Candidates(supported_PM, alone.cells_PM, alone.queries, many=True)


def score_cells(query_PC: Tensor, scene_SC: Tensor, cells_PM: Tensor) -> Tensor:
    """Return the products (P, M) of each query cell's features with the features of a batch of scene cells."""
    larger_than_scene = cells_PM.shape[1] > len(scene_SC)  # a sparse product accepts no more entries than scene cells
    if not query_PC.is_cpu or torch.is_grad_enabled() or larger_than_scene:
        return _score_gathered(query_PC, scene_SC, cells_PM)
    # A sparse product computes the entries ten times as fast because it reads features without copying them.
    rows, columns = cells_PM.shape
    starts = torch.arange(0, rows * columns + 1, columns, dtype=cells_PM.dtype)
    entries = starts, cells_PM.flatten(), query_PC.new_zeros(rows * columns)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns that sparse CSR tensors are in beta
        wanted = torch.sparse_csr_tensor(*entries, (rows, len(scene_SC)), check_invariants=False)
    return torch.sparse.sampled_addmm(wanted, query_PC, scene_SC.T, beta=0).values().view(rows, columns)


def _score_gathered(query_PC: Tensor, scene_SC: Tensor, cells_PM: Tensor) -> Tensor:
    """Gather the features and multiply them, with gradients, in tiles that fit into the CPU's cache."""
    rows = max(1, TILE_NUMBERS // (cells_PM.shape[1] * query_PC.shape[1]))
    tiles = zip(query_PC.split(rows), cells_PM.split(rows), strict=True)
    return torch.cat([torch.bmm(scene_SC[cells_TM], query_TC[..., None])[..., 0] for query_TC, cells_TM in tiles])


def window_cells(points_BP3: Tensor, level: SceneLevel, radius: int) -> Tensor:
    """Return the cells (P, M) around the projections of points in all images of their scene, -1 for invalid cells.

    The cells are read from a grid with a margin around each image, wide enough for windows beside the image.
    """
    margin, device = 2 * radius + 1, points_BP3.device
    cell_NHW = torch.arange(level.valid_NHW.numel(), dtype=torch.int32, device=device).view_as(level.valid_NHW)
    table_NHW = F.pad(cell_NHW.masked_fill(~level.valid_NHW, -1), (margin,) * 4, value=-1)
    u_BNP, v_BNP = _centres(points_BP3, level, radius)
    image_BN1 = torch.arange(len(table_NHW), dtype=torch.int32, device=device).view(len(points_BP3), -1, 1)
    height, width = table_NHW.shape[1:]
    centres_BNP = (image_BN1 * height + v_BNP + margin) * width + u_BNP + margin
    steps_D = torch.arange(-radius, radius + 1, dtype=torch.int32, device=device)
    offsets_D = (steps_D[:, None] * width + steps_D).flatten()
    places_BPM = (centres_BNP.mT[..., None] + offsets_D).flatten(2)
    return table_NHW.flatten().index_select(0, places_BPM.flatten()).view(-1, places_BPM.shape[2])


def _centres(points_BP3: Tensor, level: SceneLevel, radius: int) -> tuple[Tensor, Tensor]:
    """Return the column and the row of the cell that each point projects to in each image of its scene, (B, N / B, P).

    Cells whose window touches no cell of the image are moved to the margin of the image.
    """
    height, width = level.valid_NHW.shape[1:]
    scenes = len(points_BP3), -1
    pixels_BNP2, depths_BNP = project(points_BP3[:, None], level.projection_N34.unflatten(0, scenes))
    u_BNP, v_BNP = (pixels_BNP2 + TIE_PX).round().clamp(-1e4, 1e4).int().unbind(3)
    beside = -(radius + 1)
    u_BNP = torch.where(depths_BNP > MIN_DEPTH_M, u_BNP.clamp(beside, width + radius), beside)
    return u_BNP, v_BNP.clamp(beside, height + radius)


def project(points_P3: Tensor, projection_N34: Tensor) -> tuple[Tensor, Tensor]:
    """Return pixels_NP2 on each camera's grid, and depths_NP, m along each camera's axis.

    projection_N34: K [R | t]. Pixels are meaningless unless the depth is larger than MIN_DEPTH_M. N stands for any
    number of leading dimensions that broadcast.
    """
    # Products with points in columns take a fifth of the time of products with points in rows.
    image_N3P = projection_N34[..., :3] @ points_P3.mT + projection_N34[..., 3:]
    depths_NP = image_N3P[..., 2, :]
    image_N3P = torch.where(depths_NP[..., None, :] > MIN_DEPTH_M, image_N3P, 1.0)  # False for NaN
    return (image_N3P[..., :2, :] / image_N3P[..., 2:, :]).mT, depths_NP


def keep_best(candidates: Candidates, level: SceneLevel, count: int) -> CostVolume:
    """Return the K best candidates of each query cell, sorted by score and padded with invalid candidates."""
    kept = min(count, candidates.scores_PM.shape[1])
    scores_PK, order_PK = candidates.scores_PM.topk(kept, dim=1)
    if kept < count:
        scores_PK = F.pad(scores_PK, (0, count - kept), value=INVALID_SCORE)
        order_PK = F.pad(order_PK, (0, count - kept))
    cells_PK = candidates.cells(order_PK)
    valid_PK = scores_PK > INVALID_SCORE
    coords_PK3 = F.embedding(cells_PK, by_cell(level.coords_N3HW)) * valid_PK[..., None]
    return CostVolume(scores_PK * valid_PK, coords_PK3, valid_PK, cells_PK)
