"""Losses of coordinates, confidence, candidates and hypotheses [paper 3.4]."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

AP_BINS = 25


def coordinate_loss(coords_B3HW: Tensor, truth_B3HW: Tensor, known_BHW: Tensor, deviation_B: Tensor) -> Tensor:
    """Return the mean L1 error over cells with a known ground truth [paper eq. 6].

    deviation_B: standard deviation of each scene, which is the unit of the loss.
    """
    errors_BHW = (coords_B3HW - truth_B3HW).abs().mean(1) / deviation_B[:, None, None]
    return (errors_BHW * known_BHW).sum() / known_BHW.sum().clamp(min=1)


def average_precision_loss(confidence_BX: Tensor, right_BX: Tensor) -> Tensor:
    """Return 1 - AP of ranking each image's cells by confidence (0..1), by soft histograms [paper eq. 7].

    right_BX: 1.0 where a cell is right. Images without a right cell are left out.
    """
    centres_M = torch.linspace(1, 0, AP_BINS, device=confidence_BX.device)
    member_BXM = (1 - (confidence_BX[..., None] - centres_M).abs() * (AP_BINS - 1)).clamp(min=0)
    count_BM = member_BXM.sum(1)
    right_BM = (member_BXM * right_BX[..., None]).sum(1)
    precision_BM = right_BM.cumsum(1) / (count_BM.cumsum(1) + 1e-9)
    total_B = right_BM.sum(1)
    precision_B = (precision_BM * right_BM).sum(1) / total_B.clamp(min=1e-9)
    ranked_B = total_B > 0
    return ((1 - precision_B) * ranked_B).sum() / ranked_B.sum().clamp(min=1)


def confidence_loss(logits_BHW: Tensor, right_BHW: Tensor) -> Tensor:
    """Return the ranking loss plus the cross-entropy that makes the confidence a probability.

    The paper uses only the ranking loss. The cross-entropy also has a gradient for images of another place, in which no
    cell is right.
    """
    ranking = average_precision_loss(logits_BHW.sigmoid().flatten(1), right_BHW.flatten(1))
    return ranking + F.binary_cross_entropy_with_logits(logits_BHW, right_BHW)


def matching_loss(scores_PM: Tensor, right_PM: Tensor, temperature: float) -> Tensor:
    """Return the mean cross-entropy of the right candidates, over cells with a right candidate.

    scores_PM: cosines, below -1 where there is no candidate. With a leading dimension of queries, the result is the
    mean of each query.
    """
    right_PM = right_PM & (scores_PM >= -1)
    logits_PM = scores_PM / temperature
    right_P = logits_PM.masked_fill(~right_PM, -1e9).logsumexp(-1)
    return _mean_over(logits_PM.logsumexp(-1) - right_P, right_PM.any(-1))


def choice_loss(weights_PQ: Tensor, right_PQ: Tensor) -> Tensor:
    """Return the mean negative logarithm of the weight of right hypotheses, over cells with a right hypothesis."""
    right_P = (weights_PQ * right_PQ).sum(1)
    return _mean_over(-right_P.clamp(min=1e-6).log(), right_PQ.any(1))


def _mean_over(losses_P: Tensor, learns_P: Tensor) -> Tensor:
    """Return the mean over a mask, 0 for an empty mask. Tensor shapes do not depend on the mask."""
    return torch.where(learns_P, losses_P, 0.0).sum(-1) / learns_P.sum(-1).clamp(min=1)
