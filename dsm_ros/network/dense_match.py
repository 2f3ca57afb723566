"""Dense matches: a scene coordinate and a confidence for each cell of an image [paper 3.3]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from dsm_ros.network.level_matcher import LevelMatch


@dataclass(frozen=True)
class DenseMatch:
    """Dense match of one image.

    coords_HW3: of the finest level, m, local frame of the scene, on the host. confidence_HW: 0..1, on the host. levels:
    the matches of all levels, on the device.
    """

    coords_HW3: Tensor
    confidence_HW: Tensor
    levels: tuple[LevelMatch, ...]

    @property
    def confidence(self) -> float:
        """The mean confidence over all cells, s of the paper."""
        return float(self.confidence_HW.mean())


def on_host(levels: Sequence[LevelMatch], coords_and_confidence_4HW: Tensor) -> DenseMatch:
    """Return a dense match from the matches of all levels, and the finest coordinates and confidence (4, H, W)."""
    on_host_4HW = coords_and_confidence_4HW.cpu()
    return DenseMatch(on_host_4HW[:3].permute(1, 2, 0), on_host_4HW[3], tuple(levels))
