"""Analytic heads: coordinates and confidence computed from matching alone, without trained weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from dsm_ros.network.coordinate_head import CoordinateMaps
from dsm_ros.network.level_volume import LevelVolume

EVIDENCE = 4  # of each level: best score, consensus, distinctness, weight behind the answer
NOT_EVIDENCE = 5  # channels of coordinates and rays before those of the evidence


class ConsensusCoordinates(nn.Module):
    """Answer with the place where the candidates of a cell agree."""

    def forward(
        self, volume: LevelVolume, query_BCHW: Tensor, initial_B3HW: Tensor, radius_B: Tensor
    ) -> CoordinateMaps:
        support_B1HW = torch.ones_like(volume.centre_B3HW[:, :1])
        return CoordinateMaps(volume.centre_B3HW, volume.coords_BK3HW, volume.weights_BKHW, support_B1HW)


class EvidenceConfidence(nn.Module):
    """Trust a cell as far as its best score, its candidates' agreement and its distinctness go, over all levels."""

    def forward(self, features_BCHW: Tensor) -> Tensor:
        evidence_BLEHW = features_BCHW[:, NOT_EVIDENCE:].unflatten(1, (-1, EVIDENCE))
        trust_BHW = evidence_BLEHW.prod(2).clamp(1e-6, 1 - 1e-6).log().mean(1).exp()
        return trust_BHW.logit()
