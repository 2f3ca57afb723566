"""The cost-coordinate volumes of a batch of queries at one pyramid level, as maps for the heads [paper 3.3.1]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dsm_ros.network.consensus import Consensus
from dsm_ros.network.cost_volume import Candidates, CostVolume
from dsm_ros.network.features import Scene

MUTUAL_FLOOR = 0.3  # a cell that is not its candidate's own best match keeps this share of its confidence
RIVAL_TEMPERATURE = 0.05  # of the softmax over all candidates that says how many look alike


@dataclass(frozen=True)
class LevelVolume:
    """B queries, K candidates of each of H x W cells; coordinates normalised in the scene's local frame [5.3].

    weights_BKHW and centre_B3HW are the consensus; evidence_B3HW: best score, support, distinctness, 0..1.
    """

    scores_BKHW: Tensor
    coords_BK3HW: Tensor
    valid_BKHW: Tensor
    weights_BKHW: Tensor
    centre_B3HW: Tensor
    evidence_B3HW: Tensor


@dataclass(frozen=True)
class CellMatches:
    """What one query's cells found at one level."""

    volume: CostVolume
    consensus: Consensus
    distinct_P: Tensor


def stack_volumes(matches: Sequence[CellMatches], scenes: Sequence[Scene], height: int) -> LevelVolume:
    """Return the matches of a batch of queries, with grids of the given height, as maps."""
    coords, centres, evidence = [], [], []
    for match, scene in zip(matches, scenes, strict=True):
        coords.append(scene.normalise(match.volume.coords_PK3))
        centres.append(scene.normalise(match.consensus.coords_P3))
        best_P = match.volume.scores_PK[:, 0].clamp(0, 1)
        evidence.append(torch.stack([best_P, match.consensus.support_P, match.distinct_P], dim=1))
    return LevelVolume(
        _maps([match.volume.scores_PK for match in matches], height),
        _maps([coords_PK3.flatten(1) for coords_PK3 in coords], height).unflatten(1, (-1, 3)),
        _maps([match.volume.valid_PK for match in matches], height),
        _maps([match.consensus.weights_PK for match in matches], height),
        _maps(centres, height),
        _maps(evidence, height),
    )


def _maps(values: Sequence[Tensor], height: int) -> Tensor:
    """Turn one (P, C) table per query into (B, C, H, W)."""
    return torch.stack([values_PC.T.unflatten(1, (height, -1)) for values_PC in values])


def distinctness(candidates: Candidates, volume: CostVolume, width: int) -> Tensor:
    """Return how far a cell and its best candidate are each other's only choice, (P,) 0..1.

    width: of the query grid in cells. Windows show too little of the scene to say: 1.
    """
    if candidates.cells_PM is not None:
        return torch.ones_like(volume.scores_PK[:, 0])
    return _mutual_agreement(candidates.scores_PM, volume, width) * _kept_share(candidates.scores_PM, volume)


def _mutual_agreement(scores_PM: Tensor, volume: CostVolume, width: int) -> Tensor:
    """Return 1 where the best candidate's own best query cell is this cell or touches it, else MUTUAL_FLOOR."""
    best_P = volume.cells_PK[:, 0]
    back_P = scores_PM.amax(dim=0)[best_P]  # and not argmax, which takes ten times as long
    near_P9 = _cells_around(len(best_P) // width, width, best_P.device)
    mutual_P = (scores_PM[near_P9, best_P[:, None]] == back_P[:, None]).any(dim=1)
    return torch.where(mutual_P, 1.0, MUTUAL_FLOOR)


def _cells_around(height: int, width: int, device: torch.device) -> Tensor:
    """Return the cells (row-major) that touch each cell of a grid, and itself, (H * W, 9); at the border some twice."""
    steps = torch.arange(-1, 2, device=device)
    rows_H3 = (torch.arange(height, device=device)[:, None] + steps).clamp(0, height - 1)
    columns_W3 = (torch.arange(width, device=device)[:, None] + steps).clamp(0, width - 1)
    return (rows_H3[:, None, :, None] * width + columns_W3[None, :, None, :]).view(height * width, 9)


def _kept_share(scores_PM: Tensor, volume: CostVolume) -> Tensor:
    """Return the share that the kept candidates have of the likelihood of all: little on a blank wall."""
    likelihood_P = (scores_PM / RIVAL_TEMPERATURE).exp_().sum(dim=1)
    kept_P = ((volume.scores_PK / RIVAL_TEMPERATURE).exp() * volume.valid_PK).sum(dim=1)
    return kept_P / likelihood_P.clamp(min=torch.finfo(likelihood_P.dtype).tiny)
