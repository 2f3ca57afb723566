"""Consensus: the coordinate on which most candidates of a cell agree [method 5]."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from dsm_ros.network.cost_volume import CostVolume


@dataclass(frozen=True)
class Consensus:
    """Consensus of the candidates of each query cell.

    coords_P3: m, local frame. weights_PK: weights of the candidates in the consensus, 0 for the others. agreement_P:
    sum of the weights, 0..1.
    """

    coords_P3: Tensor
    weights_PK: Tensor
    agreement_P: Tensor


def find_consensus(volume: CostVolume, temperature: float, agreement_m: float) -> Consensus:
    """Return the weighted mean of the candidates within a radius of the best supported candidate.

    temperature: temperature of the softmax over cosine scores. agreement_m: distance within which candidates agree.
    """
    return agree(volume.coords_PK3, candidate_weights(volume, temperature), agreement_m)


def candidate_weights(volume: CostVolume, temperature: float) -> Tensor:
    """Return the softmax over the scores of each cell's candidates (P, K), 0 for invalid candidates."""
    logits_PK = (volume.scores_PK / temperature).masked_fill(~volume.valid_PK, -1e4)
    return torch.softmax(logits_PK, dim=1) * volume.valid_PK


def agree(coords_PK3: Tensor, weights_PK: Tensor, radius: float | Tensor) -> Consensus:
    """Return the weighted mean of the coordinates within a radius of the best supported coordinate.

    The best supported coordinate has the largest sum of weights within the radius. The mean of all coordinates would
    lie in mid-air between two surfaces.
    """
    agree_PKK = pairwise_within(coords_PK3.detach(), radius)
    agreement_PK = torch.einsum("pij,pj->pi", agree_PKK, weights_PK) * (weights_PK > 0)
    agreement_P, best_P = agreement_PK.max(dim=1)
    members_PK = weights_PK * agree_PKK[torch.arange(len(best_P), device=best_P.device), best_P]
    coords_P3 = torch.einsum("pk,pkc->pc", members_PK, coords_PK3) / agreement_P.clamp(min=1e-9)[:, None]
    return Consensus(coords_P3, members_PK, agreement_P.clamp(max=1))


def pairwise_within(points_PK3: Tensor, radius: float | Tensor) -> Tensor:
    """Return (P, K, K): 1.0 where two points of a cell are closer than the radius, a number or (P, 1, 1), else 0.0."""
    x_PKK, y_PKK, z_PKK = (along[:, :, None] - along[:, None] for along in points_PK3.movedim(2, 0).contiguous())
    squared_PKK = x_PKK.square_().addcmul_(y_PKK, y_PKK).addcmul_(z_PKK, z_PKK)
    return (squared_PKK < radius**2).to(points_PK3.dtype)
