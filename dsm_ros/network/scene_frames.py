"""Mean and standard deviation of the coordinates of scenes, for a trained Net_coords and its losses [paper 3.2]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from dsm_ros.network.features import Scene

MIN_DEVIATION_M = 0.05  # minimum standard deviation, for a scene whose points lie close together


@dataclass(frozen=True)
class SceneFrames:
    """Normalisation of coordinates in the local frames of B scenes.

    mean_B3, deviation_B: mean and standard deviation of all coordinates of the coarsest level, m; 0 and 1 for a scene
    with fewer than two coordinates. The three axes share one standard deviation, which does not depend on the
    orientation of the frame.
    """

    mean_B3: Tensor
    deviation_B: Tensor

    @classmethod
    def of(cls, scenes: Sequence[Scene]) -> SceneFrames:
        """Return the normalisation of a batch of scenes."""
        coarsest = [scene.levels[0] for scene in scenes]
        known_N1HW = torch.cat([level.valid_NHW for level in coarsest])[:, None]
        coords_N3HW = torch.where(known_N1HW, torch.cat([level.coords_N3HW for level in coarsest]), 0.0).double()
        sums_N7 = torch.cat([part.flatten(2).sum(2) for part in (known_N1HW, coords_N3HW, coords_N3HW.square())], dim=1)
        images = [len(level.valid_NHW) for level in coarsest]
        sums_B7 = torch.stack([sums_N7.sum(0) for sums_N7 in sums_N7.split(images)])
        count_B1 = sums_B7[:, :1].clamp(min=1)
        mean_B3 = sums_B7[:, 1:4] / count_B1
        variance_B3 = sums_B7[:, 4:] / count_B1 - mean_B3.square()
        deviation_B = variance_B3.mean(1).clamp(min=0).sqrt().clamp(min=MIN_DEVIATION_M)
        enough_B = sums_B7[:, 0] >= 2
        mean_B3 = torch.where(enough_B[:, None], mean_B3, 0.0)
        return cls(mean_B3.float(), torch.where(enough_B, deviation_B, 1.0).float())

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
