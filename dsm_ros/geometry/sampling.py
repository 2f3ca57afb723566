"""Grids of cells over an image: cell centres, and the depth of a cell."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

MIN_VALID_SHARE = 0.25  # a cell with fewer measured pixels has no depth


def cell_centres(width_cells: int, height_cells: int, width_px: int, height_px: int) -> NDArray[np.float64]:
    """Return the pixel (x, y) of each cell's centre, (H*W, 2) row-major, for a grid that tiles the image."""
    v_HW, u_HW = np.mgrid[0:height_cells, 0:width_cells]
    cells_N2 = np.stack([u_HW.ravel(), v_HW.ravel()], axis=1) + 0.5
    return cells_N2 * (width_px / width_cells, height_px / height_cells) - 0.5


def pool_depth(depth_HW: Tensor, stride_px: int) -> Tensor:
    """Return the median of the valid depths of each stride x stride cell, (H/s, W/s), 0 where too few.

    The median is a measured depth: a mean across an edge would be a point in mid-air (DSM_FACTS 5.1).
    """
    height, width = depth_HW.shape
    cells = depth_HW.view(height // stride_px, stride_px, width // stride_px, stride_px)
    values_HWS = cells.transpose(1, 2).flatten(2)
    values_HWS = values_HWS.masked_fill(values_HWS <= 0, float("nan"))
    enough_HW = (~values_HWS.isnan()).float().mean(2) >= MIN_VALID_SHARE
    return torch.where(enough_HW, values_HWS.nanmedian(dim=2).values, 0.0)
