"""Centres and depths of the cells of a grid over an image."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

MIN_VALID_SHARE = 0.25  # minimum share of pixels with measured depth in a cell that has a depth


def cell_centres(width_cells: int, height_cells: int, width_px: int, height_px: int) -> NDArray[np.float64]:
    """Return the centre (x, y) in px of each cell of a grid that tiles the image, (H*W, 2), row by row."""
    v_HW, u_HW = np.mgrid[0:height_cells, 0:width_cells]
    cells_N2 = np.stack([u_HW.ravel(), v_HW.ravel()], axis=1) + 0.5
    return cells_N2 * (width_px / width_cells, height_px / height_cells) - 0.5


def pool_depth(depth_HW: Tensor, stride_px: int) -> Tensor:
    """Return the median valid depth of each stride x stride cell, (H/s, W/s), 0 for a cell with too few valid pixels.

    The median is a measured depth, while a mean across an edge would be a point in mid-air [method 2].
    """
    height, width = depth_HW.shape
    cells = depth_HW.view(height // stride_px, stride_px, width // stride_px, stride_px)
    values_HWS = cells.transpose(1, 2).flatten(2)
    values_HWS = values_HWS.masked_fill(values_HWS <= 0, float("nan"))
    enough_HW = (~values_HWS.isnan()).float().mean(2) >= MIN_VALID_SHARE
    return torch.where(enough_HW, values_HWS.nanmedian(dim=2).values, 0.0)
