"""Net_conf: confidence of the coordinates of each cell [paper 3.3.3; method 5]."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dsm_ros.network.head_inputs import ConfidenceInput, confidence_channels, confidence_features
from dsm_ros.network.layers import ConvNorm, conv_relu

EPSILON = 1e-3
AROUND = 5  # side of the square of cells over which each channel is averaged as a further input


def context_normalise(x_BCHW: Tensor) -> Tensor:
    """Return each channel with zero mean and unit standard deviation over the cells of its image."""
    return F.instance_norm(x_BCHW, eps=EPSILON)


def with_surroundings(stacked_BCHW: Tensor) -> Tensor:
    """Append to all channels the mean of each channel over the square around each cell."""
    by_cell_BCHW = stacked_BCHW.contiguous(memory_format=torch.channels_last)  # whose pooling takes a third of the time
    around_BCHW = F.avg_pool2d(by_cell_BCHW, AROUND, stride=1, padding=AROUND // 2, count_include_pad=False)
    return torch.cat([stacked_BCHW, around_BCHW], dim=1)


class ContextResidual(nn.Module):
    """Residual block of two pointwise layers with context-normalised inputs."""

    def __init__(self, channels: int):
        super().__init__()
        self.first, self.second = conv_relu(channels, channels, 1), ConvNorm(channels, channels, 1)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        hidden_BCHW = self.first(context_normalise(x_BCHW))
        return F.relu(x_BCHW + self.second(context_normalise(hidden_BCHW)))


class ConfidenceHead(nn.Module):
    """Classify cells as right or wrong from the evidence of every level and the consistency of the coordinates.

    The paper's Net_conf reads coordinates and pixels. A head that was also trained on coordinates and pixels was worse
    in places outside its training data.
    """

    def __init__(self, levels: int, channels: int, blocks: int):
        super().__init__()
        self.input_channels = confidence_channels(levels)
        self.embed = conv_relu(2 * confidence_features(levels), channels, 1)
        self.blocks = nn.Sequential(*(ContextResidual(channels) for _ in range(blocks)))
        self.output = nn.Conv2d(channels, 1, 1)

    def forward(self, cells: ConfidenceInput) -> Tensor:
        """Return the logit (B, H, W) that each cell is right."""
        return self.layers(cells.stacked())

    def layers(self, stacked_BCHW: Tensor) -> Tensor:
        """Return the logit (B, H, W) that each cell is right, from a stacked ``ConfidenceInput``."""
        return self.classify(with_surroundings(ConfidenceInput.unstack(stacked_BCHW).features()))

    def classify(self, inputs_BCHW: Tensor) -> Tensor:
        """Return the logit (B, H, W) that each cell is right; inputs: channels ``with_surroundings``, any cells."""
        return self.output(self.blocks(self.embed(inputs_BCHW)))[:, 0].float()
