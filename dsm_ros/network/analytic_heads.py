"""Analytic heads: coordinates and confidence computed from matching alone, without trained weights [method 5]."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from dsm_ros.network.coordinate_head import CoordinateMaps
from dsm_ros.network.features import Scene
from dsm_ros.network.head_inputs import ConfidenceInput
from dsm_ros.network.level_volume import LevelVolume


class ConsensusCoordinates(nn.Module):
    """Net_coords without weights, whose coordinate is the consensus of a cell's candidates."""

    def forward(
        self,
        volume: LevelVolume,
        query_BCHW: Tensor,
        initial_B3HW: Tensor,
        scenes: Sequence[Scene],
        agreement_m: float,
    ) -> CoordinateMaps:
        concentration_BHW = torch.ones_like(volume.agreement_BHW)
        return CoordinateMaps(volume.centre_B3HW, volume.coords_BK3HW, volume.weights_BKHW, concentration_BHW)


class EvidenceConfidence(nn.Module):
    """Net_conf without weights: the geometric mean, over the levels, of the product of the evidence of a cell."""

    def forward(self, cells: ConfidenceInput) -> Tensor:
        confidence_BHW = cells.evidence_BLEHW.prod(2).clamp(1e-6, 1 - 1e-6).log().mean(1).exp()
        return confidence_BHW.logit()
