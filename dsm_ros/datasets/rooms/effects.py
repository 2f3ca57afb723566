"""Image effects of a real camera: exposure changes, noise and motion blur."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

BLUR_SAMPLES = 5
BLUR_SHARE = 0.5  # exposure time as a share of the frame period, at strength 1


@dataclass(frozen=True)
class RoomEffects:
    """Strengths of the image effects, 0 = off; a frame has the pose and the depth at the middle of its exposure."""

    exposure: float
    noise: float
    blur: float

    def exposure_shares(self) -> list[float]:
        """Return the times of the views that one image averages, in frame periods after the frame's timestamp."""
        if not self.blur:
            return [0.0]
        return [self.blur * BLUR_SHARE * (i / (BLUR_SAMPLES - 1)) for i in range(BLUR_SAMPLES)]

    def apply(self, views: list[Tensor], phase: float, seed: int) -> NDArray[np.uint8]:
        """Return the uint8 image that averages views (H, W, 3; 0..1) over the exposure, at a phase of the walk."""
        image_HW3 = torch.stack(views).mean(0)
        swing = self.exposure * math.sin(2 * math.pi * 2 * phase)
        image_HW3 = (image_HW3 * (1 + 0.35 * swing)).clamp(0, 1) ** (1 - 0.2 * swing)
        if self.noise:
            noise = torch.randn(image_HW3.shape, generator=torch.Generator().manual_seed(seed))
            image_HW3 = image_HW3 + 0.02 * self.noise * noise
        return (image_HW3 * 255 + 0.5).clamp(0, 255).to(torch.uint8).numpy()
