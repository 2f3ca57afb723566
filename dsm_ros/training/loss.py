"""Losses: coordinates, certainty, and which candidates are right [paper 3.4; DSM_FACTS 9]."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

AP_BINS = 25


def coordinate_loss(coords_B3HW: Tensor, truth_B3HW: Tensor, known_BHW: Tensor, deviation_B: Tensor) -> Tensor:
    """Return the mean L1 distance over cells with a true coordinate, in units of each scene's deviation [eq. 6]."""
    errors_BHW = (coords_B3HW - truth_B3HW).abs().mean(1) / deviation_B[:, None, None]
    return (errors_BHW * known_BHW).sum() / known_BHW.sum().clamp(min=1)


def average_precision_loss(certainty_BX: Tensor, right_BX: Tensor) -> Tensor:
    """Return 1 - AP of ranking each image's cells by certainty (0..1), by soft histograms [eq. 7].

    right_BX: 1.0 where a cell is right. Images without a right cell say nothing about ranking and are left out.
    """
    centres_M = torch.linspace(1, 0, AP_BINS, device=certainty_BX.device)
    member_BXM = (1 - (certainty_BX[..., None] - centres_M).abs() * (AP_BINS - 1)).clamp(min=0)
    count_BM = member_BXM.sum(1)
    right_BM = (member_BXM * right_BX[..., None]).sum(1)
    precision_BM = right_BM.cumsum(1) / (count_BM.cumsum(1) + 1e-9)
    total_B = right_BM.sum(1)
    precision_B = (precision_BM * right_BM).sum(1) / total_B.clamp(min=1e-9)
    ranked_B = total_B > 0
    return ((1 - precision_B) * ranked_B).sum() / ranked_B.sum().clamp(min=1)


def certainty_loss(logits_BHW: Tensor, right_BHW: Tensor) -> Tensor:
    """Return the ranking loss plus the cross-entropy that makes the certainty a probability.

    The paper has the first alone; the second also learns from images with no right cell, of another place.
    """
    ranking = average_precision_loss(logits_BHW.sigmoid().flatten(1), right_BHW.flatten(1))
    return ranking + F.binary_cross_entropy_with_logits(logits_BHW, right_BHW)


def matching_loss(scores_PM: Tensor, right_PM: Tensor, temperature: float) -> Tensor:
    """Return the cross-entropy of the right candidates among all of a cell, over cells that have a right one.

    scores_PM: cosines, below -1 where there is no candidate.
    """
    right_PM = right_PM & (scores_PM >= -1)
    logits_PM = scores_PM / temperature
    right_P = logits_PM.masked_fill(~right_PM, -1e9).logsumexp(1)
    return _mean_over(logits_PM.logsumexp(1) - right_P, right_PM.any(1))


def choice_loss(weights_PQ: Tensor, right_PQ: Tensor) -> Tensor:
    """Return the mean negative logarithm of the weight of right hypotheses, over cells that have a right one."""
    right_P = (weights_PQ * right_PQ).sum(1)
    return _mean_over(-right_P.clamp(min=1e-6).log(), right_PQ.any(1))


def _mean_over(losses_P: Tensor, learns_P: Tensor) -> Tensor:
    """Return the mean over some cells, 0 where there are none; no shape depends on which."""
    return torch.where(learns_P, losses_P, 0.0).sum() / learns_P.sum().clamp(min=1)
