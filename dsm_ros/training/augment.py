"""Random augmentation of the images and depth maps of each view."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

BLUR_SHARE = 0.3  # share of images with motion blur
HOLE_SHARE = 0.3  # share of depth maps with holes


def augment(images_VHW3: Tensor, rng: np.random.Generator) -> Tensor:
    """Return uint8 images with random exposure, white balance, gamma, motion blur and noise."""
    images_V3HW = images_VHW3.permute(0, 3, 1, 2).float() / 255
    count, device = len(images_V3HW), images_VHW3.device
    gain_V311 = _uniform(rng, (count, 1, 1, 1), 0.65, 1.4, device) * _uniform(rng, (count, 3, 1, 1), 0.9, 1.1, device)
    gamma_V111 = _uniform(rng, (count, 1, 1, 1), 0.75, 1.35, device)
    images_V3HW = (images_V3HW * gain_V311).clamp(1e-3, 1) ** gamma_V111
    images_V3HW = torch.stack([_blurred(image, rng) for image in images_V3HW])
    sigma_V111 = _uniform(rng, (count, 1, 1, 1), 0, 0.03, device)
    noise = torch.randn(images_V3HW.shape, generator=_generator(rng)).to(device)
    images_V3HW = (images_V3HW + sigma_V111 * noise).clamp(0, 1)
    return (images_V3HW * 255).round().byte().permute(0, 2, 3, 1)


def punch_holes(depths_VHW: Tensor, rng: np.random.Generator) -> Tensor:
    """Return depth maps, some with random holes like those of depth cameras on dark and shiny surfaces."""
    count, height, width = depths_VHW.shape
    blobs_V1HW = torch.rand((count, 1, height // 32, width // 32), generator=_generator(rng))
    smooth_VHW = F.interpolate(blobs_V1HW, (height, width), mode="bicubic")[:, 0].to(depths_VHW.device)
    limit_V11 = _uniform(rng, (count, 1, 1), 0.0, 0.35, depths_VHW.device)
    limit_V11 *= _uniform(rng, (count, 1, 1), 0.0, 1.0, depths_VHW.device) < HOLE_SHARE
    return depths_VHW.masked_fill(smooth_VHW < limit_V11, 0)


def _blurred(image_3HW: Tensor, rng: np.random.Generator) -> Tensor:
    """Return an image, sometimes with motion blur along a random line."""
    if rng.random() > BLUR_SHARE:
        return image_3HW
    angle, length = rng.uniform(0, math.pi), rng.uniform(1, 4)
    kernel = torch.zeros(7, 7)
    for t in np.linspace(-length / 2, length / 2, 9):
        kernel[round(3 + t * math.sin(angle)), round(3 + t * math.cos(angle))] += 1
    kernel_3177 = (kernel / kernel.sum()).expand(3, 1, 7, 7).to(image_3HW.device)
    return F.conv2d(F.pad(image_3HW[None], (3, 3, 3, 3), mode="replicate"), kernel_3177, groups=3)[0]


def _uniform(rng: np.random.Generator, shape: tuple[int, ...], low: float, high: float, device: torch.device) -> Tensor:
    return torch.from_numpy(rng.uniform(low, high, shape)).float().to(device)


def _generator(rng: np.random.Generator) -> torch.Generator:
    return torch.Generator().manual_seed(int(rng.integers(2**62)))
