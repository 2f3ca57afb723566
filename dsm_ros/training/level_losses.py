"""Losses of a batch of queries at one level, from its match and its ground truth [paper 3.4; method 13]."""

from __future__ import annotations

import torch
from torch import Tensor

from dsm_ros.network.cost_volume import MIN_DEPTH_M, project
from dsm_ros.network.grids import by_cell
from dsm_ros.network.level_matcher import LevelMatch, Search
from dsm_ros.training.config import TrainConfig
from dsm_ros.training.loss import choice_loss, coordinate_loss, matching_loss
from dsm_ros.training.queries import GroundTruth

RIGHT_CELLS = 1.0  # maximum error of a right coordinate in query cells, in space or projected


def level_losses(
    level: LevelMatch, truth: GroundTruth, deviation_B: Tensor, coordinate_weight: float, config: TrainConfig
) -> dict[str, Tensor]:
    """Return the weighted losses of a level by name.

    deviation_B: standard deviation of the coordinates of each scene, m. coordinate_weight: weight of the coordinate
    losses.
    """
    known = truth.coords_B3HW, truth.known_BHW, deviation_B
    radius_BHW = _radius(truth)
    matching = _matching(level, truth, radius_BHW, config.matching_temperature)
    return {
        "coordinates": coordinate_weight * coordinate_loss(level.coords_B3HW, *known),
        "regressed": coordinate_weight * coordinate_loss(level.hypotheses_BQ3HW[:, -1], *known),
        "choice": config.choice_weight * _choice(level, truth, radius_BHW),
        "matching": config.matching_weight * matching,
    }


def _radius(truth: GroundTruth) -> Tensor:
    """Return the distance (m) from the ground truth within which a coordinate is right, 0 without ground truth."""
    cell_BHW = truth.depths_BHW / truth.intrinsics_B33[:, 0, 0, None, None]
    return torch.where(truth.known_BHW, RIGHT_CELLS * cell_BHW, 0.0)


def _choice(level: LevelMatch, truth: GroundTruth, radius_BHW: Tensor) -> Tensor:
    away_BQHW = (level.hypotheses_BQ3HW.detach() - truth.coords_B3HW[:, None]).norm(dim=2)
    return choice_loss(by_cell(level.weights_BQHW), by_cell(away_BQHW < radius_BHW[:, None]))


def _matching(level: LevelMatch, truth: GroundTruth, radius_BHW: Tensor, temperature: float) -> Tensor:
    queries = [search.candidates.queries for search in level.searches]
    truths, radii = truth.coords_B3HW.split(queries), radius_BHW.split(queries)
    losses = []
    for search, truth_B3HW, search_radius_BHW in zip(level.searches, truths, radii, strict=True):
        right_BPM = right_candidates(search, truth_B3HW.flatten(2).mT, search_radius_BHW.flatten(1))
        scores_BPM = search.candidates.scores_PM.view_as(right_BPM)
        losses.append(matching_loss(scores_BPM, right_BPM, temperature))
    return torch.cat(losses).mean()


def right_candidates(search: Search, truth_BP3: Tensor, radius_BP: Tensor) -> Tensor:
    """Return (B, P, M): True for candidates within a radius (m) of the ground truth of their query cell."""
    coords_S3, cells_PM = by_cell(search.scene.coords_N3HW), search.candidates.cells_PM
    if cells_PM is None:
        return torch.cdist(truth_BP3, coords_S3.view(len(truth_BP3), -1, 3)) < radius_BP[..., None]
    coords_BPM3 = coords_S3[cells_PM].unflatten(0, radius_BP.shape)
    return (coords_BPM3 - truth_BP3[:, :, None]).norm(dim=3) < radius_BP[..., None]


def right_cells(level: LevelMatch, truth: GroundTruth) -> Tensor:
    """Return (B, H, W): 1.0 where a coordinate projects onto its own cell in the query's camera [paper 3.4]."""
    coords_B3HW = level.coords_B3HW.detach()
    height, width = coords_B3HW.shape[2:]
    u_W, v_H = (torch.arange(size, device=coords_B3HW.device) for size in (width, height))
    own_P2 = torch.cartesian_prod(v_H, u_W).flip(1)
    pixels_BP2, depths_BP = project(coords_B3HW.flatten(2).mT, truth.projection_B34)
    right_BP = (depths_BP > MIN_DEPTH_M) & ((pixels_BP2 - own_P2).abs().sum(2) < RIGHT_CELLS) & truth.in_map_B[:, None]
    return right_BP.unflatten(1, (height, width)).float()


def share_within(level: LevelMatch, truth: GroundTruth, limit_m: float) -> Tensor:
    """Return the share of known cells whose coordinate is within a limit of the ground truth."""
    near_BHW = (level.coords_B3HW - truth.coords_B3HW).detach().norm(dim=1) < limit_m
    return (near_BHW & truth.known_BHW).sum() / truth.known_BHW.sum().clamp(min=1)
