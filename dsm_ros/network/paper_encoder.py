"""The paper's encoder: ResNet50 with a feature pyramid of 256 channels [paper 3.2]."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from dsm_ros.network.encoder import Encoder
from dsm_ros.network.layers import ConvNorm, conv_relu, enlarge

BLOCKS = (3, 4, 6, 3)
EXPANSION = 4
MEAN_RGB, DEVIATION_RGB = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)


class Bottleneck(nn.Module):
    """1x1, 3x3, 1x1 with a skip (He et al. 2016); the stride is on the 3x3."""

    def __init__(self, inputs: int, width: int, stride: int):
        super().__init__()
        outputs = width * EXPANSION
        self.body = nn.Sequential(
            conv_relu(inputs, width, 1), conv_relu(width, width, stride=stride), ConvNorm(width, outputs, 1)
        )
        self.skip = ConvNorm(inputs, outputs, 1, stride) if stride > 1 or inputs != outputs else nn.Identity()

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return F.relu(self.body(x_BCHW) + self.skip(x_BCHW))


class ResNet50(nn.Module):
    """image_B3HW (RGB, 0..255) -> features at strides 32, 16, 8, 4 with 2048, 1024, 512, 256 channels."""

    channels = (2048, 1024, 512, 256)
    mean_311: Tensor
    deviation_311: Tensor

    def __init__(self) -> None:
        super().__init__()
        for name, values in (("mean_311", MEAN_RGB), ("deviation_311", DEVIATION_RGB)):
            self.register_buffer(name, torch.tensor(values)[:, None, None], persistent=False)
        self.stem = nn.Sequential(conv_relu(3, 64, 7, 2), nn.MaxPool2d(3, 2, 1))
        inputs, self.stages = 64, nn.ModuleList()
        for stage, blocks in enumerate(BLOCKS):
            width, stride = 64 * 2**stage, 1 if stage == 0 else 2
            first = Bottleneck(inputs, width, stride)
            inputs = width * EXPANSION
            self.stages.append(nn.Sequential(first, *(Bottleneck(inputs, width, 1) for _ in range(blocks - 1))))

    def forward(self, image_B3HW: Tensor) -> list[Tensor]:
        x_BCHW = self.stem((image_B3HW - self.mean_311) / self.deviation_311)
        outputs = []
        for stage in self.stages:
            x_BCHW = stage(x_BCHW)
            outputs.append(x_BCHW)
        return outputs[::-1]


class PaperEncoder(Encoder):
    """ResNet50-FPN: lateral 1x1, top-down sum, output 3x3, at four levels."""

    strides = (32, 16, 8, 4)
    pretrained = ("trunk",)

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.trunk = ResNet50()
        self.lateral = nn.ModuleList(nn.Conv2d(inputs, channels, 1) for inputs in ResNet50.channels)
        self.output = nn.ModuleList(nn.Conv2d(channels, channels, 3, padding=1) for _ in ResNet50.channels)

    def trunk_outputs(self, image_B3HW: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.trunk(image_B3HW))

    def features(self, *trunk_outputs: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        deepest_BCHW, *finer = trunk_outputs
        merged = [self.lateral[0](deepest_BCHW)]
        for lateral, finer_BCHW in zip(self.lateral[1:], finer, strict=True):
            merged.append(lateral(finer_BCHW) + enlarge(merged[-1]))
        return tuple(output(x_BCHW) for output, x_BCHW in zip(self.output, merged, strict=True)), deepest_BCHW
