"""Exact retrieval in memory of the keyframes with the most similar global descriptors [paper 3.1]."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

MAX_DIMENSIONS = 64
SHRINKAGE = 0.1


class Retrieval:
    """Search among the descriptors (N, D) of one map by cosine similarity after whitening.

    The descriptors of one place have a large common component. Whitening with mean and covariance of the map removes
    this component; the covariance is shrunk, because maps can be small. Raises ValueError without descriptors.
    """

    def __init__(self, descriptors_ND: Tensor):
        if descriptors_ND.ndim != 2 or not len(descriptors_ND):
            raise ValueError("retrieval needs at least one descriptor, as (N, D)")
        self._mean_D = descriptors_ND.mean(0) if len(descriptors_ND) > 1 else torch.zeros(descriptors_ND.shape[1])
        rank = min(MAX_DIMENSIONS, max(1, len(descriptors_ND) - 1))
        deviations_R, axes_DR = _principal_axes(descriptors_ND - self._mean_D, rank)
        scales_R = deviations_R.sqrt() + SHRINKAGE * deviations_R[0].sqrt()
        self._whiten_DR = axes_DR / scales_R.clamp(min=1e-12)
        self._whitened_NR = self._whiten(descriptors_ND)

    def nearest(self, descriptor_D: Tensor, count: int) -> list[tuple[int, float]]:
        """Return up to ``count`` pairs (row, similarity) for a descriptor (D,), best first."""
        similarities_N = self._whitened_NR @ self._whiten(descriptor_D[None].cpu())[0]
        best = similarities_N.topk(min(count, len(similarities_N)))
        return list(zip(best.indices.tolist(), best.values.tolist(), strict=True))

    def _whiten(self, descriptors_ND: Tensor) -> Tensor:
        return F.normalize((descriptors_ND - self._mean_D) @ self._whiten_DR, dim=1)


def _principal_axes(offsets_ND: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Return the largest singular values (R,) and their axes (D, R), computed from D x D because N may be large."""
    variances_D, axes_DD = torch.linalg.eigh((offsets_ND.T @ offsets_ND).double())
    deviations_R = variances_D.flip(0)[:count].clamp(min=0).sqrt()
    return deviations_R.float(), axes_DD.flip(1)[:, :count].float()
