"""From candidates to one scene coordinate per query cell [paper 3.3.2]."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from dsm_ros.network.cost_volume import CostVolume


@dataclass(frozen=True)
class CoordinateMap:
    """Scene coordinates on a grid of query cells.

    coords_P3: metres, local frame, row-major cells. support_P: 0..1, the share of candidate weight that agrees.
    """

    coords_P3: Tensor
    support_P: Tensor


@dataclass(frozen=True)
class ConsensusHead:
    """Coordinates without learning: softmax over the candidates that agree with the best supported one.

    temperature: of the softmax over cosine scores. agreement_radius_m: how far candidates of one surface lie apart.
    """

    temperature: float
    agreement_radius_m: float

    def __call__(self, volume: CostVolume) -> CoordinateMap:
        """Return the coordinate of every query cell."""
        logits_PK = (volume.scores_PK / self.temperature).masked_fill(~volume.valid_PK, -1e4)
        weights_PK = torch.softmax(logits_PK, dim=1) * volume.valid_PK
        agree_PKK = pairwise_within(volume.coords_PK3, self.agreement_radius_m)
        support_PK = torch.einsum("pij,pj->pi", agree_PKK, weights_PK) * volume.valid_PK
        support_P, best_P = support_PK.max(dim=1)
        members_PK = weights_PK * agree_PKK[torch.arange(len(best_P), device=best_P.device), best_P]
        coords_P3 = torch.einsum("pk,pkc->pc", members_PK, volume.coords_PK3) / support_P.clamp(min=1e-9)[:, None]
        return CoordinateMap(coords_P3, support_P.clamp(max=1))


def pairwise_within(points_PK3: Tensor, radius_m: float) -> Tensor:
    """Return (P, K, K), 1.0 where two points of a cell are closer than the radius, else 0.0."""
    squared_PKK = sum((points_PK3[:, :, None, axis] - points_PK3[:, None, :, axis]).square_() for axis in range(3))
    return (squared_PKK < radius_m**2).to(points_PK3.dtype)  # type: ignore[union-attr]
