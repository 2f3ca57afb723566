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
    scores_KP, valid_KP = volume.scores_PK.T.contiguous(), volume.valid_PK.T.contiguous()
    logits_KP = (scores_KP / temperature).masked_fill(~valid_KP, -1e4)
    return (torch.softmax(logits_KP, dim=0) * valid_KP).T  # over few columns, softmax takes nine times as long


def agree(coords_PK3: Tensor, weights_PK: Tensor, radius_m: float) -> Consensus:
    """Return the weighted mean of the coordinates within a radius of the best supported coordinate.

    The best supported coordinate has the largest sum of weights within the radius. The mean of all coordinates would
    lie in mid-air between two surfaces.
    """
    # Rows of cells take a third of the time of rows of candidates, because a cell has few candidates.
    coords_3KP, weights_KP = coords_PK3.permute(2, 1, 0).contiguous(), weights_PK.T.contiguous()
    agree_KKP = pairwise_within(coords_3KP.detach(), radius_m)
    agreement_KP = (agree_KKP * weights_KP).sum(1) * (weights_KP > 0)
    agreement_P, best_P = agreement_KP.max(dim=0)
    members_KP = weights_KP * agree_KKP.gather(0, best_P.expand(1, *weights_KP.shape))[0]
    coords_3P = (members_KP * coords_3KP).sum(1) / agreement_P.clamp(min=1e-9)
    return Consensus(coords_3P.T, members_KP.T, agreement_P.clamp(max=1))


def pairwise_within(points_3KP: Tensor, radius_m: float) -> Tensor:
    """Return (K, K, P): 1.0 where two points of a cell are closer than the radius, else 0.0."""
    x_KKP, y_KKP, z_KKP = (along[:, None] - along for along in points_3KP)
    return x_KKP.square_().addcmul_(y_KKP, y_KKP).addcmul_(z_KKP, z_KKP).lt_(radius_m**2)
