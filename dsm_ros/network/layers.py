"""Layers shared by encoders and heads."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def same_padding(kernel: int, stride: int) -> nn.Module:
    """Return TensorFlow's "same" padding for even input sizes, in which an odd pixel is added right and below."""
    total = max(0, kernel - stride)
    return nn.ZeroPad2d((total // 2, total - total // 2) * 2)


class ConvNorm(nn.Module):
    """Convolution without bias, then batch norm; ``fuse`` merges both into one convolution for inference."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1, tf_same: bool = False):
        super().__init__()
        # a convolution's own padding is faster; "same" padding differs only at stride 2
        pads = tf_same and stride > 1
        self.pad = same_padding(kernel, stride) if pads else nn.Identity()
        padding = 0 if pads else kernel // 2
        self.conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False)
        self.norm: nn.Module = nn.BatchNorm2d(outputs, eps=1e-3 if tf_same else 1e-5)

    def forward(self, x_BCHW: Tensor) -> Tensor:
        return self.norm(self.conv(self.pad(x_BCHW)))

    def fuse(self) -> None:
        """Merge the batch norm into the convolution (inference only)."""
        if isinstance(self.norm, nn.BatchNorm2d):
            self.conv, self.norm = fuse_conv_bn_eval(self.conv, self.norm), nn.Identity()


def conv_relu(inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Return a convolution with batch norm and ReLU."""
    return nn.Sequential(ConvNorm(inputs, outputs, kernel, stride), nn.ReLU(inplace=True))


def zero_conv(inputs: int, outputs: int, kernel: int = 1) -> nn.Conv2d:
    """Return a convolution with zero weights, so that an untrained correction changes nothing."""
    conv = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2)
    nn.init.zeros_(conv.weight)
    nn.init.zeros_(conv.bias)  # type: ignore[arg-type]
    return conv


def enlarge(map_BCHW: Tensor, mode: str = "nearest") -> Tensor:
    """Return feature maps on a grid of half the cell size."""
    return F.interpolate(map_BCHW, scale_factor=2.0, mode=mode)


def fuse_norms(module: nn.Module) -> None:
    """Merge all batch norms of a module in eval mode into its convolutions."""
    for part in module.modules():
        if isinstance(part, ConvNorm):
            part.fuse()
