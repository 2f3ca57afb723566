"""What fixes the network besides its weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class HeadShape(NamedTuple):
    """Size of a Net_coords: channels and blocks of its pointwise part, growth and layers of its dense block."""

    channels: int
    blocks: int
    growth: int
    layers: int


LITE_COARSE_HEAD = HeadShape(channels=64, blocks=3, growth=32, layers=4)
LITE_FINE_HEAD = HeadShape(channels=32, blocks=1, growth=16, layers=2)  # a larger one gained nothing
PAPER_HEAD = HeadShape(channels=256, blocks=3, growth=64, layers=5)


@dataclass(frozen=True)
class NetworkConfig:
    """Shape of the network; stored with the weights. The defaults are the ``lite`` preset.

    trained_heads: whether Net_coords and Net_conf are part of it; without them the candidates' agreement answers.
    channels: of the matched features. Of the coarsest level and of the others: candidates kept of each cell, K; head,
    the size of Net_coords; agreement_m, the distance within which candidates agree. confidence_channels: of Net_conf.
    """

    name: str = "lite"
    encoder: str = "lite"
    long_side_px: int = 512
    channels: int = 64
    candidates: int = 16
    fine_candidates: int = 8  # of the few in a window; 16 find the same poses
    window_radius: int = 1
    temperature: float = 0.02
    agreement_m: tuple[float, float] = (0.2, 0.1)
    coarse_head: HeadShape = LITE_COARSE_HEAD
    fine_head: HeadShape = LITE_FINE_HEAD
    confidence_channels: int = 64
    trained_heads: bool = True

    def candidates_at(self, level: int) -> int:
        """Return K of a level, 0 the coarsest."""
        return self.fine_candidates if level else self.candidates


PAPER = NetworkConfig(
    name="paper",
    encoder="paper",
    channels=256,
    fine_candidates=16,
    window_radius=6,
    coarse_head=PAPER_HEAD,
    fine_head=PAPER_HEAD,
    confidence_channels=128,
)
PRESETS = {"lite": NetworkConfig(), "paper": PAPER}
