"""Alternatives to two steps of the network: the selection of the candidates of a cell, and their consensus."""

from __future__ import annotations

import torch
from torch import Tensor

from dsm_ros.network.consensus import Consensus, candidate_weights
from dsm_ros.network.cost_volume import Candidates, CostVolume, keep_best
from dsm_ros.network.features import SceneLevel


def keep_best_unsorted(candidates: Candidates, level: SceneLevel, count: int) -> CostVolume:
    """Keep the K best candidates in the order of the correlation tensor, image by image and row by row."""
    best = keep_best(candidates, level, count)
    order_PK = best.cells_PK.masked_fill(~best.valid_PK, torch.iinfo(torch.long).max).argsort(dim=1)
    coords_PK3 = best.coords_PK3.gather(1, order_PK[..., None].expand(-1, -1, 3))
    return CostVolume(
        best.scores_PK.gather(1, order_PK),
        coords_PK3,
        best.valid_PK.gather(1, order_PK),
        best.cells_PK.gather(1, order_PK),
    )


def keep_all(candidates: Candidates, level: SceneLevel, count: int) -> CostVolume:
    """Keep all candidates of the correlation tensor."""
    return keep_best(candidates, level, candidates.scores_PM.shape[1])


def plain_mean(volume: CostVolume, temperature: float, agreement_m: float) -> Consensus:
    """Return the softmax mean over all candidates; the agreement is the share of the weight near the mean."""
    weights_PK = candidate_weights(volume, temperature)
    coords_P3 = torch.einsum("pk,pkc->pc", weights_PK, volume.coords_PK3)
    near_PK: Tensor = (volume.coords_PK3 - coords_P3[:, None]).norm(dim=2) < agreement_m
    return Consensus(coords_P3, weights_PK, (weights_PK * near_PK).sum(1))
