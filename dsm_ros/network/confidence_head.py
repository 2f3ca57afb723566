"""Net_conf: confidence of the coordinates of each cell [paper 3.3.3, method 5]."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from dsm_ros.network.head_inputs import ConfidenceInput, confidence_channels
from dsm_ros.network.layers import ConvNorm, conv_relu

BLOCKS = 5
EPSILON = 1e-3


def context_normalise(x_BCHW: Tensor) -> Tensor:
    """Return each channel with zero mean and unit standard deviation over the cells of its image."""
    return F.instance_norm(x_BCHW, eps=EPSILON)


class ContextResidual(nn.Module):
    """Two pointwise layers, each on context-normalised input, with a skip."""

    def __init__(self, channels: int):
        super().__init__()
        self.first, self.second = conv_relu(channels, channels, 1), ConvNorm(channels, channels, 1)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        hidden_BCHW = self.first(context_normalise(x_BCHW))
        return F.relu(x_BCHW + self.second(context_normalise(hidden_BCHW)))


class ConfidenceHead(nn.Module):
    """Classify cells as right or wrong from coordinates, viewing rays and the evidence of every level.

    The paper's Net_conf reads coordinates and pixels only; the evidence of the matching tells more than they do.
    """

    def __init__(self, levels: int, channels: int):
        super().__init__()
        self.input_channels = confidence_channels(levels)
        self.embed = conv_relu(self.input_channels, channels, 1)
        self.blocks = nn.Sequential(*(ContextResidual(channels) for _ in range(BLOCKS)))
        self.output = nn.Conv2d(channels, 1, 1)

    def forward(self, cells: ConfidenceInput) -> Tensor:
        """Return logits (B, H, W)."""
        return self.layers(cells.stacked())

    def layers(self, stacked_BCHW: Tensor) -> Tensor:
        """Return logits (B, H, W) from a stacked ``ConfidenceInput``."""
        return self.output(self.blocks(self.embed(stacked_BCHW)))[:, 0].float()
