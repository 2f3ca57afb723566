"""How far each coordinate can be trusted [paper 3.3.3]."""

from __future__ import annotations

import torch
from torch import Tensor

from dsm_ros.network.coordinate_head import CoordinateMap
from dsm_ros.network.cost_volume import Candidates, CostVolume

MUTUAL_FLOOR = 0.3  # a cell that is not its candidate's own best match keeps this share of its confidence


def score_confidence(volume: CostVolume, coordinates: CoordinateMap) -> Tensor:
    """Return 0..1 per query cell (P): similarity of the best candidate times the agreement of the others."""
    return volume.scores_PK[:, 0].clamp(0, 1) * coordinates.support_P


def mutual_confidence(candidates: Candidates, volume: CostVolume, width: int) -> Tensor:
    """Return 1 where the best candidate's own best query cell is this cell or touches it, else MUTUAL_FLOOR.

    candidates: all pairs. width: of the query grid in cells.
    """
    back_P = candidates.scores_PM.argmax(dim=0)[volume.cells_PK[:, 0]]
    here_P = torch.arange(len(back_P), device=back_P.device)
    across_P = (back_P % width - here_P % width).abs()
    down_P = (back_P // width - here_P // width).abs()
    return torch.where((across_P <= 1) & (down_P <= 1), 1.0, MUTUAL_FLOOR)
