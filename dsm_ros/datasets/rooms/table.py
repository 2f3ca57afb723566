"""Arrays of the boxes of a room, for ray casting and texturing."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dsm_ros.datasets.rooms.box import Box

OTHER_AXES = ((1, 2), (0, 2), (0, 1))  # axes of u and v on faces perpendicular to x, y and z


@dataclass(frozen=True)
class BoxTable:
    """All boxes of a room, the shell first.

    unit_T_room_B34: transforms points of the room (m) to the axes of a box, in which the box spans -1..1. corners_B83:
    m. On the device of the textures: unit_T_room_12B, the same matrices. For each face (F = box * 6 + face): texture_F,
    repeats_2F of the texture along u and v, metres_3F of width, height and shorter side of the texture. grain_B.
    """

    unit_T_room_B34: NDArray[np.float64]
    corners_B83: NDArray[np.float64]
    unit_T_room_12B: Tensor
    texture_F: Tensor
    repeats_2F: Tensor
    metres_3F: Tensor
    grain_B: Tensor
    is_grained: bool


def build_table(boxes: Sequence[Box], device: torch.device) -> BoxTable:
    """Return the table of a room's boxes, with the arrays of textures on a device."""
    half_B3, centre_B3 = np.array([box.half_3 for box in boxes]), np.array([box.centre_3 for box in boxes])
    room_R_box_B33 = _turns(np.array([box.yaw_rad for box in boxes]))
    unit_R_room_B33 = room_R_box_B33.transpose(0, 2, 1) / half_B3[:, :, None]
    shift_B31 = -unit_R_room_B33 @ centre_B3[:, :, None]
    unit_T_room_B34 = np.concatenate([unit_R_room_B33, shift_B31], axis=2)
    corners_B83 = corners_of(boxes)
    span_B62 = 2 * half_B3[:, np.repeat(OTHER_AXES, 2, axis=0)]
    tile_B61 = np.array([box.tiles_m_6 for box in boxes])[:, :, None]
    period_B62 = np.where(tile_B61 > 0, tile_B61, span_B62)

    def on_device(values: NDArray[np.float64]) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(values, dtype=np.float32)).to(device)

    return BoxTable(
        unit_T_room_B34,
        corners_B83,
        on_device(unit_T_room_B34.reshape(-1, 12).T),
        torch.tensor([box.textures_6 for box in boxes], dtype=torch.int32).flatten().to(device),
        on_device((span_B62 / period_B62).reshape(-1, 2).T),
        on_device(np.concatenate([span_B62, period_B62.min(axis=2, keepdims=True)], axis=2).reshape(-1, 3).T),
        on_device(np.array([box.grain for box in boxes])),
        any(box.grain for box in boxes),
    )


def corners_of(boxes: Sequence[Box]) -> NDArray[np.float64]:
    """Return the corners of boxes (B, 8, 3) in m."""
    half_B3, centre_B3 = np.array([box.half_3 for box in boxes]), np.array([box.centre_3 for box in boxes])
    room_R_box_B33 = _turns(np.array([box.yaw_rad for box in boxes]))
    signs_83 = np.array(list(itertools.product((-1.0, 1.0), repeat=3)))
    return (signs_83 * half_B3[:, None]) @ room_R_box_B33.transpose(0, 2, 1) + centre_B3[:, None]


def _turns(yaw_B: NDArray[np.float64]) -> NDArray[np.float64]:
    turns_B33 = np.zeros((len(yaw_B), 3, 3))
    turns_B33[:, 0, 0] = turns_B33[:, 1, 1] = np.cos(yaw_B)
    turns_B33[:, 1, 0] = np.sin(yaw_B)
    turns_B33[:, 0, 1] = -turns_B33[:, 1, 0]
    turns_B33[:, 2, 2] = 1
    return turns_B33
