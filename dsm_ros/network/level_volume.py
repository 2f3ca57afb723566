"""Cost-coordinate volumes of a batch of queries at one pyramid level, as input of the heads [paper 3.3.1]."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dsm_ros.network.consensus import Consensus
from dsm_ros.network.cost_volume import Candidates, CostVolume
from dsm_ros.network.scene_frames import SceneFrames

OFFSET_GAIN = 20.0  # factor on offsets, so that a hundredth of the scene's standard deviation counts
MUTUAL_FLOOR = 0.3  # factor on the distinctness of a cell that is not the best match of its candidate
RIVAL_TEMPERATURE = 0.05  # temperature of the softmax over all candidates that measures how many candidates are alike


@dataclass(frozen=True)
class LevelVolume:
    """B queries, K candidates of each of H x W cells; coordinates in m in the local frame of each scene.

    weights_BKHW, centre_B3HW: the consensus. agreement_BHW, distinctness_BHW: see ``Evidence``.
    """

    scores_BKHW: Tensor
    coords_BK3HW: Tensor
    valid_BKHW: Tensor
    weights_BKHW: Tensor
    centre_B3HW: Tensor
    agreement_BHW: Tensor
    distinctness_BHW: Tensor

    @property
    def best_score_BHW(self) -> Tensor:
        """The score of the best candidate, 0..1."""
        return self.scores_BKHW[:, 0].clamp(0, 1)

    def stacked(self, frames: SceneFrames) -> Tensor:
        """Return the input channels of Net_coords: scores, offsets from the consensus, consensus and evidence.

        Offsets and consensus are in the normalised coordinates of each scene.
        """
        coords_BK3HW, centre_B3HW = frames.normalise(self.coords_BK3HW), frames.normalise(self.centre_B3HW)
        offsets_BK3HW = (OFFSET_GAIN * (coords_BK3HW - centre_B3HW[:, None])).asinh() * self.valid_BKHW[:, :, None]
        evidence_B3HW = torch.stack([self.best_score_BHW, self.agreement_BHW, self.distinctness_BHW], dim=1)
        return torch.cat([self.scores_BKHW, offsets_BK3HW.flatten(1, 2), centre_B3HW, evidence_B3HW], dim=1)


@dataclass(frozen=True)
class CellMatches:
    """Cost volume, consensus and distinctness of the cells of one or several queries at one level."""

    volume: CostVolume
    consensus: Consensus
    distinct_P: Tensor


def stack_volumes(matches: Sequence[CellMatches], height: int, width: int) -> LevelVolume:
    """Return the matches of a batch of queries as maps; height and width are the size of the query grid in cells."""

    def maps(table: Callable[[CellMatches], Tensor]) -> Tensor:
        """Turn tables (P, C) of cells into maps (B, C, H, W)."""
        return torch.cat([table(match).unflatten(0, (-1, height, width)).movedim(3, 1) for match in matches])

    return LevelVolume(
        maps(lambda match: match.volume.scores_PK),
        maps(lambda match: match.volume.coords_PK3.flatten(1)).unflatten(1, (-1, 3)),
        maps(lambda match: match.volume.valid_PK),
        maps(lambda match: match.consensus.weights_PK),
        maps(lambda match: match.consensus.coords_P3),
        maps(lambda match: match.consensus.agreement_P[:, None])[:, 0],
        maps(lambda match: match.distinct_P[:, None])[:, 0],
    )


def distinctness(candidates: Candidates, volume: CostVolume, width: int) -> Tensor:
    """Return the degree (P,), 0..1, to which a cell and its best candidate are each other's only match.

    width: width of the query grid in cells. The distinctness is 1 at finer levels, where a window shows too little of
    the scene. In a larger window, the distinctness depends only on the cell's own candidates.
    """
    if candidates.cells_PM is None:
        return _mutual_agreement(candidates, volume, width) * _kept_share(candidates.scores_PM, volume)
    return _kept_share(candidates.scores_PM, volume) if candidates.many else torch.ones_like(volume.scores_PK[:, 0])


def _mutual_agreement(candidates: Candidates, volume: CostVolume, width: int) -> Tensor:
    """Return 1 where the best match of a cell's best candidate is the cell or its neighbour, else MUTUAL_FLOOR."""
    scores_PM, queries = candidates.scores_PM, candidates.queries
    best_P = volume.cells_PK[:, 0]
    best_of_cell_S = scores_PM.unflatten(0, (queries, -1)).amax(dim=1).flatten()  # argmax is ten times slower
    near_P9 = _cells_around(queries, len(best_P) // (queries * width), width, best_P.device)
    scores_P9 = scores_PM[near_P9, (best_P % scores_PM.shape[1])[:, None]]
    mutual_P = (scores_P9 == best_of_cell_S[best_P][:, None]).any(dim=1)
    return torch.where(mutual_P, 1.0, MUTUAL_FLOOR)


def _cells_around(queries: int, height: int, width: int, device: torch.device) -> Tensor:
    """Return the 3x3 neighbourhood (P, 9) of each cell of a batch of grids, with border cells repeated."""
    steps = torch.arange(-1, 2, device=device)
    rows_H3 = (torch.arange(height, device=device)[:, None] + steps).clamp(0, height - 1)
    columns_W3 = (torch.arange(width, device=device)[:, None] + steps).clamp(0, width - 1)
    around_P9 = (rows_H3[:, None, :, None] * width + columns_W3[None, :, None, :]).view(height * width, 9)
    first_B11 = torch.arange(queries, device=device)[:, None, None] * (height * width)
    return (around_P9 + first_B11).flatten(0, 1)


def _kept_share(scores_PM: Tensor, volume: CostVolume) -> Tensor:
    """Return the share of the total likelihood that the kept candidates hold; it is small on a blank wall."""
    likelihood_P = (scores_PM / RIVAL_TEMPERATURE).exp_().sum(dim=1)
    kept_P = ((volume.scores_PK / RIVAL_TEMPERATURE).exp() * volume.valid_PK).sum(dim=1)
    return kept_P / likelihood_P.clamp(min=torch.finfo(likelihood_P.dtype).tiny)
