"""Net_coords: one scene coordinate per query cell from its candidates [paper 3.3.2; method 5]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dsm_ros.network.config import HeadShape
from dsm_ros.network.consensus import agree
from dsm_ros.network.features import Scene
from dsm_ros.network.grids import by_cell
from dsm_ros.network.head_inputs import COORDINATE_CHANNELS, CoordinateInput, cell_channels
from dsm_ros.network.layers import ConvNorm, conv_relu, zero_conv
from dsm_ros.network.level_volume import LevelVolume
from dsm_ros.network.scene_frames import SceneFrames

WEIGHT_FLOOR, REGRESSED_WEIGHT = 1e-3, 1e-2


@dataclass(frozen=True)
class CoordinateMaps:
    """Coordinates of a level, H x W cells, m in the local frame of each scene.

    coords_B3HW: the chosen coordinates. hypotheses_BQ3HW, weights_BQHW: the hypotheses of each cell, which are its
    candidates and, last with a trained Net_coords, a coordinate regressed from its neighbourhood. concentration_BHW:
    share of the hypotheses' weight that agrees with the chosen coordinate.
    """

    coords_B3HW: Tensor
    hypotheses_BQ3HW: Tensor
    weights_BQHW: Tensor
    concentration_BHW: Tensor


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
    """Block of 3x3 layers; each layer reads the outputs of all earlier layers."""

    def __init__(self, inputs: int, growth: int, layers: int):
        super().__init__()
        self.layers = nn.ModuleList(conv_relu(inputs + i * growth, growth) for i in range(layers))
        self.channels = inputs + layers * growth

    def forward(self, x_BCHW: Tensor) -> Tensor:
        for layer in self.layers:
            x_BCHW = torch.cat([layer(x_BCHW), x_BCHW], dim=1)
        return x_BCHW


class CoordinateHead(nn.Module):
    """Weigh the hypotheses of each cell: its candidates, and one coordinate regressed from the cell's neighbourhood.

    Pointwise residual blocks read each cell's candidates; a dense block of 3x3 layers adds the query features and the
    neighbourhood. The paper's Net_coords only regresses a coordinate; a chosen candidate has the precision of a
    measured point. The untrained head chooses the consensus.
    """

    def __init__(self, candidates: int, query_channels: int, shape: HeadShape):
        super().__init__()
        self.query_channels = query_channels
        self.input_channels = query_channels + cell_channels(candidates) + COORDINATE_CHANNELS
        self.embed = conv_relu(cell_channels(candidates), shape.channels, 1)
        self.refine = nn.Sequential(*(PointwiseResidual(shape.channels) for _ in range(shape.blocks)))
        self.query = conv_relu(query_channels, shape.channels, 1)
        self.dense = DenseBlock(2 * shape.channels + 3, shape.growth, shape.layers)
        self.output = zero_conv(self.dense.channels, candidates + 1 + 3, 3)

    def forward(
        self,
        volume: LevelVolume,
        query_BCHW: Tensor,
        initial_B3HW: Tensor,
        scenes: Sequence[Scene],
        agreement_m: float,
    ) -> CoordinateMaps:
        """Return the coordinates of all cells from a volume, unit query features and coarser coordinates.

        initial_B3HW: m, local frame of each of the B scenes. agreement_m: distance within which hypotheses agree.
        """
        frames = SceneFrames.of(scenes)
        scaled_BCHW, normalised_B3HW = query_BCHW * query_BCHW.shape[1] ** 0.5, frames.normalise(initial_B3HW)
        inputs = CoordinateInput(scaled_BCHW, volume.stacked(frames), normalised_B3HW)
        output_BCHW = self.layers(inputs.stacked()).float()
        regressed_B3HW = frames.metric(normalised_B3HW + output_BCHW[:, -3:])
        hypotheses_BQ3HW = torch.cat([volume.coords_BK3HW, regressed_B3HW[:, None]], dim=1)
        return choose(hypotheses_BQ3HW, _weigh(volume, output_BCHW[:, :-3]), agreement_m)

    def layers(self, stacked_BCHW: Tensor) -> Tensor:
        """Return logits of the hypotheses and an offset (B, K + 1 + 3, H, W) from a stacked ``CoordinateInput``."""
        inputs = CoordinateInput.unstack(stacked_BCHW, self.query_channels)
        embedded = CoordinateInput(
            self.query(inputs.query_BCHW), self.refine(self.embed(inputs.cells_BCHW)), inputs.initial_B3HW
        )
        return self.output(self.dense(embedded.stacked()))


def _weigh(volume: LevelVolume, logits_BQHW: Tensor) -> Tensor:
    """Return the weight of each hypothesis; the consensus weights are the prior."""
    prior_BKHW = (volume.weights_BKHW + WEIGHT_FLOOR) * volume.valid_BKHW
    prior_BQHW = torch.cat([prior_BKHW, torch.full_like(prior_BKHW[:, :1], REGRESSED_WEIGHT)], dim=1)
    return torch.softmax(logits_BQHW + prior_BQHW.clamp(min=1e-12).log(), dim=1)


def choose(hypotheses_BQ3HW: Tensor, weights_BQHW: Tensor, agreement_m: float) -> CoordinateMaps:
    """Return the consensus of each cell's hypotheses; agreement_m: distance within which hypotheses agree."""
    count, _, height, width = weights_BQHW.shape
    coords_PQ3 = hypotheses_BQ3HW.permute(0, 3, 4, 1, 2).flatten(0, 2)
    weights_PQ = by_cell(weights_BQHW)
    found = agree(coords_PQ3, weights_PQ, agreement_m)
    coords_B3HW = found.coords_P3.view(count, height, width, 3).permute(0, 3, 1, 2)
    return CoordinateMaps(coords_B3HW, hypotheses_BQ3HW, weights_BQHW, found.agreement_P.view(count, height, width))
