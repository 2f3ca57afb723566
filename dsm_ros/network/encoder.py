"""Image encoders: a feature pyramid for matching and a global descriptor for retrieval [paper 3.2; method 3]."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dsm_ros.network.context_trunk import ContextTrunk
from dsm_ros.network.layers import ConvNorm, conv_relu, enlarge, fuse_norms, zero_conv
from dsm_ros.network.local_trunk import LocalTrunk
from dsm_ros.network.runtime import Runtime


class Encoder(nn.Module):
    """image_B3HW (RGB, 0..255, sides multiples of 32) -> levels, coarse to fine, and descriptor_BD.

    Features have unit length along their channels. The descriptor is the GeM pooling (p = 3) of the coarsest features,
    scaled to unit length.
    """

    strides: tuple[int, ...]
    runtime = str(Runtime.TORCH)  # the library that runs the encoder, and how
    pretrained: tuple[str, ...]  # names of the parts with published weights, which training may freeze

    def forward(self, image_B3HW: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        return self.join(*self.trunk_outputs(image_B3HW))

    def join(self, *trunk_outputs: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        """Return the levels and the descriptor from the outputs of the pretrained trunks."""
        features, deepest_BCHW = self.features(*trunk_outputs)
        return tuple(F.normalize(level, dim=1) for level in features), generalised_mean(deepest_BCHW)

    def trunks(self) -> list[nn.Module]:
        """Return the pretrained parts of the encoder."""
        return [getattr(self, name) for name in self.pretrained]

    def trunk_outputs(self, image_B3HW: Tensor) -> tuple[Tensor, ...]:
        """Return the outputs of the pretrained parts, which are constant for frozen parts."""
        raise NotImplementedError

    def features(self, *trunk_outputs: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        """Return the levels before normalisation and the features that the descriptor pools."""
        raise NotImplementedError


class LiteEncoder(Encoder):
    """Two light trunks: local features for precision, corrected by context features against gross mismatches.

    The context trunk reads the image at half size, which takes a quarter of the time and is as accurate or better. The
    trunk's outputs at strides 32 and 64 correct the local features at strides 16 and 8.
    """

    strides = (16, 8)
    pretrained = ("context", "local", "standardise_context", "standardise_local")

    def __init__(self, channels: int) -> None:
        super().__init__()
        if channels != LocalTrunk.channels_8:
            raise ValueError(f"the lite encoder has {LocalTrunk.channels_8} channels, not {channels}")
        self.context, self.local = ContextTrunk(), LocalTrunk()
        for trunk in (self.context, self.local):  # the batch norms of published weights are folded
            fuse_norms(trunk.eval())
        self.standardise_context = Standardise(ContextTrunk.channels_16)
        self.standardise_local = Standardise(LocalTrunk.channels_8)
        self.lateral_64 = ConvNorm(ContextTrunk.channels_32, channels, 1)
        self.lateral_16 = ConvNorm(ContextTrunk.channels_16 + LocalTrunk.channels_8, channels, 1)
        self.mix_16 = nn.Sequential(conv_relu(channels, channels), conv_relu(channels, channels))
        self.mix_8 = conv_relu(2 * channels, channels)
        self.correct_16 = zero_conv(channels, channels)
        self.correct_8 = zero_conv(channels, channels)

    def trunk_outputs(self, image_B3HW: Tensor) -> tuple[Tensor, ...]:
        context32_BCHW, context64_BCHW = self.context(half_size(image_B3HW))
        local8_BCHW = self.standardise_local(self.local(image_B3HW))
        return local8_BCHW, self.standardise_context(context32_BCHW), context64_BCHW

    def features(self, *trunk_outputs: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        local8_BCHW, context32_BCHW, context64_BCHW = trunk_outputs
        local16_BCHW = F.avg_pool2d(local8_BCHW, 2)
        context16_BCHW = grow_to(local16_BCHW, context32_BCHW, 2)
        lateral16_BCHW = self.lateral_16(torch.cat([local16_BCHW, context16_BCHW], dim=1))
        deeper16_BCHW = grow_to(local16_BCHW, self.lateral_64(context64_BCHW), 4)
        mixed16_BCHW = self.mix_16(F.relu(lateral16_BCHW + deeper16_BCHW))
        mixed8_BCHW = self.mix_8(torch.cat([local8_BCHW, enlarge(mixed16_BCHW)], dim=1))
        level16_BCHW = local16_BCHW + self.correct_16(mixed16_BCHW)
        return (level16_BCHW, local8_BCHW + self.correct_8(mixed8_BCHW)), context64_BCHW


def half_size(image_B3HW: Tensor) -> Tensor:
    """Return images of half the size, padded to multiples of 32 by repeating the last row and column."""
    identity_33 = torch.eye(3, dtype=image_B3HW.dtype, device=image_B3HW.device)
    mean_3322 = identity_33[:, :, None, None].expand(-1, -1, 2, 2) / 4
    half_B3HW = F.conv2d(image_B3HW, mean_3322, stride=2)  # takes OpenVINO half the time of an interpolation
    height, width = half_B3HW.shape[2:]
    return F.pad(half_B3HW, (0, -width % 32, 0, -height % 32), mode="replicate")


def grow_to(of_BCHW: Tensor, map_BCHW: Tensor, factor: int) -> Tensor:
    """Return feature maps enlarged by a factor, cropped to the grid of ``of_BCHW``."""
    height, width = of_BCHW.shape[2:]
    return F.interpolate(map_BCHW, scale_factor=float(factor), mode="bilinear")[..., :height, :width]


class Standardise(nn.Module):
    """Subtract each channel's mean and divide by its standard deviation, both measured once on sample images."""

    mean_C11: Tensor
    deviation_C11: Tensor

    def __init__(self, channels: int):
        super().__init__()
        self.register_buffer("mean_C11", torch.zeros(channels, 1, 1))
        self.register_buffer("deviation_C11", torch.ones(channels, 1, 1))

    def fit(self, x_BCHW: Tensor) -> None:
        """Measure the mean and the standard deviation on a batch of trunk outputs."""
        self.mean_C11 = x_BCHW.mean((0, 2, 3))[:, None, None]
        self.deviation_C11 = x_BCHW.std((0, 2, 3))[:, None, None]

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return (x_BCHW - self.mean_C11) / self.deviation_C11


def generalised_mean(features_BCHW: Tensor, power: float = 3.0) -> Tensor:
    """Return the GeM descriptor (B, C) of the positive parts of features, with unit length (Radenovic et al. 2018)."""
    pooled_BC = features_BCHW.clamp(min=1e-3).pow(power).mean((2, 3)).pow(1 / power)
    return F.normalize(pooled_BC, dim=1)
