"""Normalisation of coordinates in the local frames of a batch of scenes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dsm_ros.network.features import Scene


@dataclass(frozen=True)
class SceneFrames:
    """Normalisation of coordinates in the local frames of B scenes: mean_B3 and deviation_B, m."""

    mean_B3: Tensor
    deviation_B: Tensor

    @classmethod
    def of(cls, scenes: Sequence[Scene]) -> SceneFrames:
        """Return the normalisation of a batch of scenes."""
        return cls(torch.stack([scene.mean_3 for scene in scenes]), torch.stack([scene.deviation for scene in scenes]))

    def normalise(self, coords_BX3HW: Tensor) -> Tensor:
        """Normalise coordinates (B, ..., 3, H, W; m) to zero mean and unit standard deviation over each scene."""
        mean, deviation = self._like(coords_BX3HW)
        return (coords_BX3HW - mean) / deviation

    def metric(self, coords_BX3HW: Tensor) -> Tensor:
        """Convert normalised coordinates (B, ..., 3, H, W) to m."""
        mean, deviation = self._like(coords_BX3HW)
        return coords_BX3HW * deviation + mean

    def _like(self, coords_BX3HW: Tensor) -> tuple[Tensor, Tensor]:
        inner = (1,) * (coords_BX3HW.dim() - 4)
        return self.mean_B3.view(-1, *inner, 3, 1, 1), self.deviation_B.view(-1, *inner, 1, 1, 1)
