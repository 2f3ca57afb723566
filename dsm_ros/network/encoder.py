"""Image encoder: a feature pyramid for matching and a global descriptor for retrieval [paper 3.2]."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dsm_ros.network.context_trunk import ContextTrunk
from dsm_ros.network.local_trunk import LocalTrunk


class Standardise(nn.Module):
    """Subtract each channel's mean and divide by its deviation, both learned from images once."""

    mean_C11: Tensor
    deviation_C11: Tensor

    def __init__(self, channels: int):
        super().__init__()
        self.register_buffer("mean_C11", torch.zeros(channels, 1, 1))
        self.register_buffer("deviation_C11", torch.ones(channels, 1, 1))

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return (x_BCHW - self.mean_C11) / self.deviation_C11


class Encoder(nn.Module):
    """image_B3HW (RGB, 0..255, sides multiples of 32) -> levels and descriptor.

    Levels, coarse to fine: stride 16 joins local and context features (gross mismatches need context to be
    told apart), stride 8 holds local features alone (precision). Each is unit length along its channels.
    The descriptor is GeM pooling (p = 3) of the context at stride 32, (B, 320), unit length.
    """

    strides = (16, 8)

    def __init__(self) -> None:
        super().__init__()
        self.context = ContextTrunk()
        self.local = LocalTrunk()
        self.standardise_context = Standardise(ContextTrunk.channels_16)
        self.standardise_local = Standardise(LocalTrunk.channels_8)

    def forward(self, image_B3HW: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        context16_BCHW, context32_BCHW = self.context(image_B3HW)
        local8_BCHW = self.standardise_local(self.local(image_B3HW))
        parts = (F.avg_pool2d(local8_BCHW, 2), self.standardise_context(context16_BCHW))
        coarse_BCHW = torch.cat([part / part.shape[1] ** 0.5 for part in parts], dim=1)
        levels = (F.normalize(coarse_BCHW, dim=1), F.normalize(local8_BCHW, dim=1))
        return levels, generalised_mean(context32_BCHW)


def generalised_mean(features_BCHW: Tensor, power: float = 3.0) -> Tensor:
    """Return the unit GeM descriptor (B, C) of positive parts of features (Radenovic et al. 2018)."""
    pooled_BC = features_BCHW.clamp(min=1e-3).pow(power).mean((2, 3)).pow(1 / power)
    return F.normalize(pooled_BC, dim=1)
