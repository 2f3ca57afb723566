"""Net_coords: from candidates to one scene coordinate per query cell [paper 3.3.2; DSM_FACTS 8.1]."""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dsm_ros.network.config import HeadShape
from dsm_ros.network.consensus import agree
from dsm_ros.network.features import by_cell
from dsm_ros.network.layers import ConvNorm, conv_relu, zero_conv
from dsm_ros.network.level_volume import LevelVolume

OFFSET_GAIN = 20.0  # offsets of a hundredth of the scene's deviation are still told apart from zero
WEIGHT_FLOOR, REGRESSED_WEIGHT = 1e-3, 1e-2


@dataclass(frozen=True)
class CoordinateMaps:
    """Normalised coordinates of a level, H x W cells.

    coords_B3HW: the answer. hypotheses_BQ3HW, weights_BQHW: what it was chosen among, the candidates and, last, the
    coordinate regressed from the surroundings. support_B1HW: the share of the weight behind the answer.
    """

    coords_B3HW: Tensor
    hypotheses_BQ3HW: Tensor
    weights_BQHW: Tensor
    support_B1HW: Tensor


class PointwiseResidual(nn.Module):
    """Three 1x1 convolutions with a skip: C -> 2C -> 2C -> C."""

    def __init__(self, channels: int):
        super().__init__()
        self.body = nn.Sequential(
            conv_relu(channels, 2 * channels, 1),
            conv_relu(2 * channels, 2 * channels, 1),
            ConvNorm(2 * channels, channels, 1),
        )

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return F.relu(x_BCHW + self.body(x_BCHW))


class DenseBlock(nn.Module):
    """3x3 layers, each of which sees the outputs of all before it."""

    def __init__(self, inputs: int, growth: int, layers: int):
        super().__init__()
        self.layers = nn.ModuleList(conv_relu(inputs + i * growth, growth) for i in range(layers))
        self.channels = inputs + layers * growth

    def forward(self, x_BCHW: Tensor) -> Tensor:
        for layer in self.layers:
            x_BCHW = torch.cat([layer(x_BCHW), x_BCHW], dim=1)
        return x_BCHW


class CoordinateHead(nn.Module):
    """Weigh the candidates of each cell and one coordinate regressed from its surroundings.

    A 1x1 residual part reads each cell's candidates, a dense block of 3x3 layers adds the query's features and the
    neighbourhood. The paper regresses only; choosing keeps the candidates' precision where they are right.
    Untrained, it answers with the consensus.
    """

    def __init__(self, candidates: int, query_channels: int, shape: HeadShape):
        super().__init__()
        self.embed = conv_relu(4 * candidates + 6, shape.channels, 1)
        self.refine = nn.Sequential(*(PointwiseResidual(shape.channels) for _ in range(shape.blocks)))
        self.query = conv_relu(query_channels, shape.channels, 1)
        self.dense = DenseBlock(2 * shape.channels + 3, shape.growth, shape.layers)
        self.output = zero_conv(self.dense.channels, candidates + 1 + 3, 3)

    def forward(
        self, volume: LevelVolume, query_BCHW: Tensor, initial_B3HW: Tensor, radius_B: Tensor
    ) -> CoordinateMaps:
        """Return coordinates from a volume, unit query features and the coarser level's (normalised) coordinates.

        radius_B: how far apart hypotheses agree, normalised.
        """
        offsets_BK3HW = volume.coords_BK3HW - volume.centre_B3HW[:, None]
        offsets_BK3HW = (OFFSET_GAIN * offsets_BK3HW).asinh() * volume.valid_BKHW[:, :, None]
        cells_BCHW = torch.cat(
            [volume.scores_BKHW, offsets_BK3HW.flatten(1, 2), volume.centre_B3HW, volume.evidence_B3HW], dim=1
        )
        cells_BCHW = self.refine(self.embed(cells_BCHW))
        query_BCHW = self.query(query_BCHW * query_BCHW.shape[1] ** 0.5)
        output_BCHW = self.output(self.dense(torch.cat([query_BCHW, cells_BCHW, initial_B3HW], dim=1))).float()
        regressed_B3HW = initial_B3HW + output_BCHW[:, -3:]
        hypotheses_BQ3HW = torch.cat([volume.coords_BK3HW, regressed_B3HW[:, None]], dim=1)
        return choose(hypotheses_BQ3HW, _weigh(volume, output_BCHW[:, :-3]), radius_B)


def _weigh(volume: LevelVolume, logits_BQHW: Tensor) -> Tensor:
    """Return the weight of each hypothesis; that of the consensus is the prior."""
    prior_BKHW = (volume.weights_BKHW + WEIGHT_FLOOR) * volume.valid_BKHW
    prior_BQHW = torch.cat([prior_BKHW, torch.full_like(prior_BKHW[:, :1], REGRESSED_WEIGHT)], dim=1)
    return torch.softmax(logits_BQHW + prior_BQHW.clamp(min=1e-12).log(), dim=1)


def choose(hypotheses_BQ3HW: Tensor, weights_BQHW: Tensor, radius_B: Tensor) -> CoordinateMaps:
    """Answer each cell with the hypotheses that most weight agrees on."""
    count, _, height, width = weights_BQHW.shape
    coords_PQ3 = hypotheses_BQ3HW.permute(0, 3, 4, 1, 2).flatten(0, 2)
    weights_PQ = by_cell(weights_BQHW)
    found = agree(coords_PQ3, weights_PQ, radius_B.repeat_interleave(height * width)[:, None, None])
    coords_B3HW = found.coords_P3.view(count, height, width, 3).permute(0, 3, 1, 2)
    return CoordinateMaps(coords_B3HW, hypotheses_BQ3HW, weights_BQHW, found.support_P.view(count, 1, height, width))
