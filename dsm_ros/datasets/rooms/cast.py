"""Ray casting of a room's boxes; each tile of 16 x 16 pixels is tested only against boxes that may be visible in it.

On the plane of a face, inverse depth is linear in the pixel coordinates. A ray hits a convex box where the smallest
inverse depth of the faces that the camera is in front of is not below the largest inverse depth of the other faces.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dsm_ros.datasets.rooms.table import BoxTable

TILE_PX = 16
NEAR_M = 0.05
NO_LIMIT = 1e6  # an inverse depth (1/m) that no face reaches
EDGES = ([0, 0, 0, 1, 1, 2, 2, 3, 4, 4, 5, 6], [1, 2, 4, 3, 5, 3, 6, 7, 5, 6, 7, 7])  # corners that differ on one axis


@dataclass(frozen=True)
class Views:
    """Cameras in a room, all of one image size.

    room_R_pixel_V33: pixel (u, v, 1) to its ray in room axes, 1 m long along the camera's z. centre_V3: m.
    """

    room_R_pixel_V33: NDArray[np.float64]
    centre_V3: NDArray[np.float64]
    width_px: int
    height_px: int


def cast(table: BoxTable, views: Views, device: torch.device) -> tuple[Tensor, Tensor]:
    """Return depth_VHW (m along z) and the number (int32) of the first box hit by the ray of each pixel."""
    planes_VB93, outside_VB = _planes(table, views)
    columns, rows = -(-views.width_px // TILE_PX), -(-views.height_px // TILE_PX)
    window_VB4 = _windows(table, views)
    window_VB4[~outside_VB] = -1  # boxes around the camera are left out; the shell is tested separately in every tile
    schedule = _schedule(window_VB4, columns, rows)
    planes_N93 = torch.from_numpy(planes_VB93.reshape(-1, 9, 3).astype(np.float32)).to(device)
    inverse_SP, box_SP = _nearest(planes_N93, schedule, len(table.corners_B83))
    order_T = torch.from_numpy(schedule.slot_of_tile_T).to(device)
    shape = (len(views.centre_V3), rows, columns)
    return 1 / _untile(inverse_SP, order_T, shape, views), _untile(box_SP, order_T, shape, views)


def _planes(table: BoxTable, views: Views) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the inverse depth of each box's planes as factors of pixel (u, v, 1), and the boxes without the camera.

    The first three planes of a box are the planes that face the camera, at most one for each axis.
    """
    matrix_B33, shift_B3 = table.unit_T_room_B34[..., :3], table.unit_T_room_B34[..., 3]
    ray_VB33 = matrix_B33 @ views.room_R_pixel_V33[:, None]
    origin_VB3 = np.einsum("bij,vj->vbi", matrix_B33, views.centre_V3) + shift_B3
    side_6 = np.repeat([-1.0, 1.0], 3)
    gap_VB6 = 1 - side_6 * np.tile(origin_VB3, 2)
    gap_VB6 = np.where(np.abs(gap_VB6) < 1e-9, 1e-9, gap_VB6)
    row_VB63 = (side_6 / gap_VB6)[..., None] * np.tile(ray_VB33, (2, 1))
    front_VB61 = (gap_VB6 < 0)[..., None]
    none_3 = np.array([0.0, 0.0, NO_LIMIT])
    low_VB33 = np.where(front_VB61[:, :, :3], row_VB63[:, :, :3], none_3)
    front_VB33 = np.where(front_VB61[:, :, 3:], row_VB63[:, :, 3:], low_VB33)
    other_VB63 = np.where(front_VB61, -none_3, row_VB63)
    outside_VB = np.asarray(front_VB61[..., 0].any(axis=2), dtype=np.bool_)
    return np.concatenate([front_VB33, other_VB63], axis=2), outside_VB


def _windows(table: BoxTable, views: Views) -> NDArray[np.int64]:
    """Return the bounds of each box in the image: left, top, right, bottom (px, inclusive; -1 if not visible)."""
    pixel_R_room_V33 = np.linalg.inv(views.room_R_pixel_V33)
    offset_VB83 = table.corners_B83 - views.centre_V3[:, None, None]
    corner_VB83 = offset_VB83 @ pixel_R_room_V33.transpose(0, 2, 1)[:, None]
    one_VBE3, other_VBE3 = corner_VB83[:, :, EDGES[0]], corner_VB83[:, :, EDGES[1]]
    z_VBE1, step_VBE1 = one_VBE3[..., 2:], (other_VBE3 - one_VBE3)[..., 2:]
    share_VBE1 = ((NEAR_M - z_VBE1) / np.where(step_VBE1 == 0, 1, step_VBE1)).clip(0, 1)
    points_VBK3 = np.concatenate([corner_VB83, one_VBE3 + share_VBE1 * (other_VBE3 - one_VBE3)], axis=2)
    z_VBK1 = points_VBK3[..., 2:]
    ahead_VBK1 = z_VBK1 > 0.99 * NEAR_M
    pixel_VBK2 = points_VBK3[..., :2] / np.where(ahead_VBK1, z_VBK1, 1)
    last_2 = np.array([views.width_px - 1, views.height_px - 1])
    first_VB2 = np.where(ahead_VBK1, pixel_VBK2, np.inf).min(axis=2)
    final_VB2 = np.where(ahead_VBK1, pixel_VBK2, -np.inf).max(axis=2)
    seen_VB1 = ((first_VB2 <= last_2) & (final_VB2 >= 0)).all(axis=2, keepdims=True)
    window_VB4 = np.concatenate([np.floor(first_VB2.clip(0, last_2)), np.ceil(final_VB2.clip(0, last_2))], axis=2)
    return np.where(seen_VB1, window_VB4, -1).astype(np.int64)


@dataclass(frozen=True)
class Schedule:
    """The boxes that each tile is tested against.

    Tiles (slots) are sorted by number of boxes, largest first; ``active_M[m]`` counts the tiles with more than m boxes.
    pairs_N: view * boxes + box, for m = 0 and each slot, then for m = 1, and so on.
    """

    pairs_N: NDArray[np.int64]
    active_M: list[int]
    corner_S2: NDArray[np.float32]
    slot_of_tile_T: NDArray[np.int64]


def _schedule(window_VB4: NDArray[np.int64], columns: int, rows: int) -> Schedule:
    views, boxes = window_VB4.shape[:2]
    pair_K = np.flatnonzero(window_VB4.reshape(-1, 4)[:, 2] >= 0)
    left_K, top_K, right_K, bottom_K = window_VB4.reshape(-1, 4)[pair_K].T // TILE_PX
    wide_K = right_K - left_K + 1
    size_K = wide_K * (bottom_K - top_K + 1)
    which_N = np.repeat(np.arange(len(pair_K)), size_K)
    within_N = np.arange(len(which_N)) - np.repeat(np.cumsum(size_K) - size_K, size_K)
    row_N, column_N = top_K[which_N] + within_N // wide_K[which_N], left_K[which_N] + within_N % wide_K[which_N]
    tile_N = (pair_K[which_N] // boxes * rows + row_N) * columns + column_N
    tiles = views * rows * columns
    count_T = np.bincount(tile_N, minlength=tiles)
    by_tile_N = np.argsort(tile_N, kind="stable")
    rank_N = np.arange(len(tile_N)) - np.repeat(np.cumsum(count_T) - count_T, count_T)
    tile_of_slot_S = np.argsort(-count_T, kind="stable")
    slot_of_tile_T = np.argsort(tile_of_slot_S)
    order_N = np.argsort(rank_N * tiles + slot_of_tile_T[tile_N[by_tile_N]])
    view_S, place_S = np.divmod(tile_of_slot_S, rows * columns)
    corner_S2 = np.stack([place_S % columns, place_S // columns], axis=1).astype(np.float32) * TILE_PX
    active_M = np.bincount(rank_N).tolist()
    pairs_N = np.concatenate([view_S * boxes, pair_K[which_N[by_tile_N[order_N]]]])
    return Schedule(pairs_N, [tiles, *active_M], corner_S2, slot_of_tile_T)


def _nearest(planes_N93: Tensor, schedule: Schedule, boxes: int) -> tuple[Tensor, Tensor]:
    """Return the largest inverse depth and its box for each pixel of a tile. The first box of a tile is the shell."""
    device = planes_N93.device
    pairs = torch.from_numpy(schedule.pairs_N).to(device)
    corner_S2 = torch.from_numpy(schedule.corner_S2).to(device)
    steps_P = torch.arange(TILE_PX**2, device=device)
    steps_2P = torch.stack([steps_P % TILE_PX, steps_P // TILE_PX]).float()
    inverse_SP = box_SP = torch.empty(0)
    for m, (pair_S, active) in enumerate(zip(pairs.split(schedule.active_M), schedule.active_M, strict=True)):
        rows_S93 = planes_N93.index_select(0, pair_S)
        at_corner_S9 = (rows_S93[..., :2] * corner_S2[:active, None]).sum(2) + rows_S93[..., 2]
        planes_9SP = torch.addmm(
            at_corner_S9.T.reshape(-1, 1), rows_S93[..., :2].transpose(0, 1).reshape(-1, 2), steps_2P
        ).view(9, active, -1)
        leave_SP = planes_9SP[3:].amax(0)
        if m == 0:
            inverse_SP, box_SP = leave_SP, torch.zeros(leave_SP.shape, dtype=torch.int32, device=device)
            continue
        enter_SP = planes_9SP[:3].amin(0)
        known_SP, known_box_SP = inverse_SP[:active], box_SP[:active]
        nearer_SP = (enter_SP >= leave_SP) & (enter_SP > known_SP) & (enter_SP < 1 / NEAR_M)
        number_S1 = (pair_S % boxes).int()[:, None]
        inverse_SP[:active] = torch.where(nearer_SP, enter_SP, known_SP)
        box_SP[:active] = torch.where(nearer_SP, number_S1, known_box_SP)
    return inverse_SP, box_SP


def _untile(values_SP: Tensor, order_T: Tensor, shape: tuple[int, int, int], views: Views) -> Tensor:
    """Return the values of all tiles as images (V, H, W)."""
    tiles_VRCPP = values_SP.index_select(0, order_T).view(*shape, TILE_PX, TILE_PX)
    count, rows, columns = shape
    whole_VHW = tiles_VRCPP.transpose(2, 3).reshape(count, rows * TILE_PX, columns * TILE_PX)
    return whole_VHW[:, : views.height_px, : views.width_px].contiguous()
