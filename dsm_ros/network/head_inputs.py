"""Inputs of Net_coords and Net_conf: named feature maps, and the order of their channels."""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from dsm_ros.network.consistency import CONSISTENCY_CHANNELS, coordinate_consistency


@dataclass(frozen=True)
class Evidence:
    """Evidence, 0..1, that the coordinates of one pyramid level are right; maps (B, H, W).

    best_score: cosine of the best candidate. agreement: share of the candidates' weight in the consensus.
    distinctness: degree to which a cell and its best candidate match nothing else. concentration: share of the
    hypotheses' weight that agrees with the coordinate.
    """

    best_score_BHW: Tensor
    agreement_BHW: Tensor
    distinctness_BHW: Tensor
    concentration_BHW: Tensor

    def stacked(self) -> Tensor:
        """Return the evidence as channels (B, E, H, W)."""
        maps = self.best_score_BHW, self.agreement_BHW, self.distinctness_BHW, self.concentration_BHW
        return torch.stack(maps, dim=1)


@dataclass(frozen=True)
class CoordinateInput:
    """Input of Net_coords [paper 3.3.2].

    query_BCHW: query features. cells_BCHW: candidates and consensus of each cell, in the order of
    ``LevelVolume.stacked``. initial_B3HW: normalised coordinates of the coarser level.
    """

    query_BCHW: Tensor
    cells_BCHW: Tensor
    initial_B3HW: Tensor

    def stacked(self) -> Tensor:
        """Return all channels in one tensor (B, C, H, W)."""
        return torch.cat([self.query_BCHW, self.cells_BCHW, self.initial_B3HW], dim=1)

    @classmethod
    def unstack(cls, stacked_BCHW: Tensor, query_channels: int) -> CoordinateInput:
        """Return the input of Net_coords whose channels were stacked in one tensor."""
        cell_channels = stacked_BCHW.shape[1] - query_channels - COORDINATE_CHANNELS
        return cls(*stacked_BCHW.split([query_channels, cell_channels, COORDINATE_CHANNELS], dim=1))


@dataclass(frozen=True)
class ConfidenceInput:
    """Input of Net_conf [paper 3.3.3]: coordinates, pixel rays, and for each pyramid level the evidence of its match.

    coords_B3HW, coarser_B3HW: coordinates of the finest level and of the next coarser level, m, local frame.
    rays_B2HW: x / z and y / z of the cells. evidence_BLEHW: see ``Evidence``. All inputs are on the finest grid.
    """

    coords_B3HW: Tensor
    coarser_B3HW: Tensor
    rays_B2HW: Tensor
    evidence_BLEHW: Tensor

    def stacked(self) -> Tensor:
        """Return all channels in one tensor (B, C, H, W)."""
        evidence_BCHW = self.evidence_BLEHW.flatten(1, 2)
        return torch.cat([self.coords_B3HW, self.coarser_B3HW, self.rays_B2HW, evidence_BCHW], dim=1)

    @classmethod
    def unstack(cls, stacked_BCHW: Tensor) -> ConfidenceInput:
        """Return the input of Net_conf whose channels were stacked in one tensor."""
        evidence = stacked_BCHW.shape[1] - 2 * COORDINATE_CHANNELS - RAY_CHANNELS
        sizes = [COORDINATE_CHANNELS, COORDINATE_CHANNELS, RAY_CHANNELS, evidence]
        coords_B3HW, coarser_B3HW, rays_B2HW, evidence_BCHW = stacked_BCHW.split(sizes, dim=1)
        return cls(coords_B3HW, coarser_B3HW, rays_B2HW, evidence_BCHW.unflatten(1, (-1, EVIDENCE_CHANNELS)))

    def features(self) -> Tensor:
        """Return the evidence and the consistency of the coordinates as channels (B, C, H, W)."""
        consistency_BCHW = coordinate_consistency(self.coords_B3HW, self.coarser_B3HW, self.rays_B2HW)
        return torch.cat([self.evidence_BLEHW.flatten(1, 2), consistency_BCHW], dim=1)


COORDINATE_CHANNELS, RAY_CHANNELS = 3, 2
EVIDENCE_CHANNELS = len(fields(Evidence))


def cell_channels(candidates: int) -> int:
    """Return the number of channels of ``LevelVolume.stacked``."""
    return candidates * (1 + COORDINATE_CHANNELS) + COORDINATE_CHANNELS + EVIDENCE_CHANNELS - 1


def confidence_channels(levels: int) -> int:
    """Return the number of channels of ``ConfidenceInput.stacked``."""
    return 2 * COORDINATE_CHANNELS + RAY_CHANNELS + EVIDENCE_CHANNELS * levels


def confidence_features(levels: int) -> int:
    """Return the number of channels of ``ConfidenceInput.features``."""
    return EVIDENCE_CHANNELS * levels + CONSISTENCY_CHANNELS
