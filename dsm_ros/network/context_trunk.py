"""EfficientNet-Lite0 (Tan and Le 2019; no squeeze-excite, ReLU6), the encoder's trunk for context."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from dsm_ros.network.layers import ConvNorm


@dataclass(frozen=True)
class Stage:
    """A stage of inverted residual blocks; the first block changes stride and channels."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    channels: int


STEM_CHANNELS = 32
STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)
STRIDE_16_STAGE, STRIDE_32_STAGE = 4, 6


class InvertedResidual(nn.Module):
    """Expansion, depthwise convolution and projection, with a skip where the shape allows it."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int):
        super().__init__()
        hidden = inputs * expansion
        self.expand = ConvNorm(inputs, hidden, 1, tf_same=True) if expansion > 1 else None
        self.depthwise = ConvNorm(hidden, hidden, kernel, stride, groups=hidden, tf_same=True)
        self.project = ConvNorm(hidden, outputs, 1, tf_same=True)
        self.activation = nn.ReLU6(inplace=True)
        self.has_skip = stride == 1 and inputs == outputs

    def forward(self, x_BCHW: Tensor) -> Tensor:
        hidden_BCHW = self.activation(self.expand(x_BCHW)) if self.expand else x_BCHW
        out_BCHW = self.project(self.activation(self.depthwise(hidden_BCHW)))
        return x_BCHW + out_BCHW if self.has_skip else out_BCHW


class ContextTrunk(nn.Module):
    """image_B3HW (RGB, 0..255) -> features at stride 16 (B, 112, H/16, W/16) and 32 (B, 320, H/32, W/32)."""

    channels_16 = STAGES[STRIDE_16_STAGE].channels
    channels_32 = STAGES[STRIDE_32_STAGE].channels

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(ConvNorm(3, STEM_CHANNELS, 3, 2, tf_same=True), nn.ReLU6(inplace=True))
        inputs = (STEM_CHANNELS, *(stage.channels for stage in STAGES))
        self.stages = nn.ModuleList(_make_stage(stage, inputs[i]) for i, stage in enumerate(STAGES))

    def forward(self, image_B3HW: Tensor) -> tuple[Tensor, Tensor]:
        x_BCHW = self.stem((image_B3HW - 127.0) / 128.0)
        outputs = []
        for stage in self.stages:
            x_BCHW = stage(x_BCHW)
            outputs.append(x_BCHW)
        return outputs[STRIDE_16_STAGE], outputs[STRIDE_32_STAGE]


def _make_stage(stage: Stage, inputs: int) -> nn.Sequential:
    first = InvertedResidual(inputs, stage.channels, stage.kernel, stage.stride, stage.expansion)
    rest = [
        InvertedResidual(stage.channels, stage.channels, stage.kernel, 1, stage.expansion)
        for _ in range(stage.blocks - 1)
    ]
    return nn.Sequential(first, *rest)
