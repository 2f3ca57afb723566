"""Configuration of the network, which is stored with its weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class HeadShape(NamedTuple):
    """Sizes of the layers of a Net_coords."""

    channels: int  # channels of the pointwise part
    blocks: int  # residual blocks of the pointwise part
    growth: int  # channels that each layer of the dense block adds
    layers: int  # layers of the dense block


LITE_COARSE_HEAD = HeadShape(channels=64, blocks=3, growth=32, layers=4)
LITE_FINE_HEAD = HeadShape(channels=32, blocks=1, growth=16, layers=2)  # a larger head is not more accurate
PAPER_HEAD = HeadShape(channels=256, blocks=3, growth=64, layers=5)


@dataclass(frozen=True)
class NetworkConfig:
    """Configuration of the network. The defaults are the ``lite`` preset."""

    name: str = "lite"  # name of the preset
    encoder: str = "lite"  # kind of encoder, lite or paper
    long_side_px: int = 512  # long side of the encoder's input
    channels: int = 64  # channels of the features
    candidates: int = 16  # K at the coarsest level, the number of candidates kept for a cell
    fine_candidates: int = 8  # K at the finer levels; 16 candidates give the same poses
    window_radius: int = 1  # radius of the search window at finer levels, in cells
    temperature: float = 0.02  # temperature of the softmax over the scores of candidates
    agreement_m: tuple[float, float] = (0.2, 0.1)  # distance within which candidates agree: coarsest, finer levels
    coarse_head: HeadShape = LITE_COARSE_HEAD  # Net_coords of the coarsest level
    fine_head: HeadShape = LITE_FINE_HEAD  # Net_coords of the finer levels
    confidence_channels: int = 16  # channels of Net_conf
    confidence_blocks: int = 2  # residual blocks of Net_conf
    trained_coordinates: bool = True  # False: the consensus of the candidates replaces Net_coords
    trained_confidence: bool = True  # False: the product of the evidence replaces Net_conf

    def candidates_at(self, level: int) -> int:
        """Return K at a level; level 0 is the coarsest."""
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
    confidence_blocks=5,
)
PRESETS = {"lite": NetworkConfig(), "paper": PAPER}
