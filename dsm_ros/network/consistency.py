"""Consistency of the coordinates of neighbouring cells and of two pyramid levels, an input of Net_conf [method 5]."""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

STEPS = (1, 2, 4)  # distances between a cell and the compared neighbours, in cells
DIRECTIONS = ((0, 1), (1, 0), (1, 1), (1, -1))  # rows and columns to a neighbour; the opposite one is compared too
PLAUSIBLE = 0.7  # maximum absolute log ratio of actual to expected distance of two cells on one surface
MAX_LOG_RATIO = 2.0
MIN_RANGE_M, MAX_RANGE_M = 0.2, 10.0  # limits of the distance from the origin, which stands for the depth
FLOOR_M2 = 1e-6  # added to squared distances to keep their logarithm finite
CONSISTENCY_CHANNELS = 3 * len(STEPS) + 1


def coordinate_consistency(coords_B3HW: Tensor, coarser_B3HW: Tensor, rays_B2HW: Tensor) -> Tensor:
    """Return the plausibility of the distances between the coordinates of neighbouring cells, (B, C, H, W).

    A distance is compared with the distance of two cells on a surface that faces the camera, at the depth of the cell.
    The distance from the origin, which is the camera of a nearby keyframe, replaces the depth. For each of STEPS, the
    channels are the mean of the log ratio over eight neighbours, the mean of its absolute value, and the share of
    plausible neighbours. The last channel is the log ratio for the distance to the coordinate of the coarser level.

    coords_B3HW: m, local frame. coarser_B3HW: coordinates of the coarser level, on the same grid. rays_B2HW: x / z and
    y / z.
    """
    depths_BHW = coords_B3HW.norm(dim=1).clamp(MIN_RANGE_M, MAX_RANGE_M)
    spacing_B = (rays_B2HW[:, 0, 0, 1] - rays_B2HW[:, 0, 0, 0]).abs()
    cell_BHW = (spacing_B[:, None, None] * depths_BHW).log()
    channels = [maps for step in STEPS for maps in _neighbours(coords_B3HW, cell_BHW, step)]
    channels.append((_log_distances(coords_B3HW, coarser_B3HW) - cell_BHW).clamp(-MAX_LOG_RATIO, MAX_LOG_RATIO))
    return torch.stack(channels, dim=1)


def _neighbours(coords_B3HW: Tensor, cell_BHW: Tensor, step: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return the channels for neighbours at one distance; the image is mirrored at its border.

    cell_BHW: logarithm of the expected distance of two adjacent cells.
    """
    step = min(step, coords_B3HW.shape[2] - 1, coords_B3HW.shape[3] - 1)
    padded = F.pad(coords_B3HW, (step,) * 4, mode="reflect")
    ratios = []
    for down, right in DIRECTIONS:
        rows, columns = down * step, right * step
        neighbours = padded.roll((-rows, -columns), dims=(2, 3))
        logs = _log_distances(padded, neighbours) - math.log(step * math.hypot(down, right))
        ratios.append(logs[:, step:-step, step:-step])
        ratios.append(logs[:, step - rows : -step - rows, step - columns : -step - columns or None])
    ratio_B8HW = (torch.stack(ratios, dim=1) - cell_BHW[:, None]).clamp(-MAX_LOG_RATIO, MAX_LOG_RATIO)
    size_B8HW = ratio_B8HW.abs()
    return ratio_B8HW.mean(1), size_B8HW.mean(1), (size_B8HW < PLAUSIBLE).to(size_B8HW.dtype).mean(1)


def _log_distances(a_B3HW: Tensor, b_B3HW: Tensor) -> Tensor:
    return ((a_B3HW - b_B3HW).square().sum(1) + FLOOR_M2).log() / 2
