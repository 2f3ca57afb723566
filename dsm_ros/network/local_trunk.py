"""XFeat's backbone (Potje et al., CVPR 2024), the encoder's trunk for local features at stride 8."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from dsm_ros.network.layers import conv_relu

MIN_VARIANCE = 1e-5  # added to the variance of an image, which is 0 for an image of one colour


class LocalTrunk(nn.Module):
    """image_B3HW (RGB, any scale) -> features (B, 64, H/8, W/8); sides must be multiples of 32."""

    channels_8 = 64

    def __init__(self) -> None:
        super().__init__()
        self.skip = nn.Sequential(nn.AvgPool2d(4), nn.Conv2d(1, 24, 1))
        self.stride_4 = nn.Sequential(
            conv_relu(1, 4), conv_relu(4, 8, stride=2), conv_relu(8, 8), conv_relu(8, 24, stride=2)
        )
        self.refine_4 = nn.Sequential(conv_relu(24, 24), conv_relu(24, 24))
        self.stride_8 = nn.Sequential(conv_relu(24, 64, stride=2), conv_relu(64, 64), conv_relu(64, 64, 1))
        self.stride_16 = nn.Sequential(conv_relu(64, 64, stride=2), conv_relu(64, 64), conv_relu(64, 64))
        self.stride_32 = nn.Sequential(
            conv_relu(64, 128, stride=2), conv_relu(128, 128), conv_relu(128, 128), conv_relu(128, 64, 1)
        )
        self.join = nn.Sequential(conv_relu(64, 64), conv_relu(64, 64), nn.Conv2d(64, 64, 1))

    def forward(self, image_B3HW: Tensor) -> Tensor:
        grey_B1HW = remove_exposure(image_B3HW.mean(1, keepdim=True))
        x4_BCHW = self.refine_4(self.stride_4(grey_B1HW) + self.skip(grey_B1HW))
        x8_BCHW = self.stride_8(x4_BCHW)
        x16_BCHW = self.stride_16(x8_BCHW)
        x32_BCHW = self.stride_32(x16_BCHW)
        size = x8_BCHW.shape[2:]
        coarse_BCHW = F.interpolate(x16_BCHW, size, mode="bilinear") + F.interpolate(x32_BCHW, size, mode="bilinear")
        return self.join(x8_BCHW + coarse_BCHW)


def remove_exposure(grey_B1HW: Tensor) -> Tensor:
    """Return images with zero mean and unit standard deviation, without the gain and the offset of the exposure.

    The formula replaces an ``InstanceNorm2d``, which takes OpenVINO longer than any layer, because it has one channel.
    """
    centred_B1HW = grey_B1HW - grey_B1HW.mean((1, 2, 3), keepdim=True)
    variance_B111 = centred_B1HW.square().mean((1, 2, 3), keepdim=True)
    return centred_B1HW * (variance_B111 + MIN_VARIANCE).rsqrt()
