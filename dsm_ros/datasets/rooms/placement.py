"""Placement of furniture against walls, and the floor area that a piece covers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsm_ros.datasets.rooms.furniture import Piece, turned


def at_wall(
    piece: Piece, wall: int, along_m: float, gap_m: float, size_3: NDArray[np.float64], turn_rad: float = 0.0
) -> Piece:
    """Return a piece with its back to wall 0 (y = 0), 1 (greatest x), 2 (greatest y) or 3 (x = 0).

    along_m: position of the piece's origin along the wall. gap_m: distance of the origin from the wall. turn_rad: yaw
    of the piece relative to the wall.
    """
    wide, deep = float(size_3[0]), float(size_3[1])
    place_2 = ((along_m, gap_m), (wide - gap_m, along_m), (along_m, deep - gap_m), (gap_m, along_m))[wall]
    return turned(piece, wall * np.pi / 2 + turn_rad, (*place_2, 0.0))


def area_of(piece: Piece) -> tuple[float, float, float, float]:
    """Return the rectangle of floor that a piece covers: x, y of its two corners (m)."""
    centre_B2 = np.array([box.centre_3[:2] for box in piece])
    turn_B22 = np.array([[[abs(np.cos(b.yaw_rad)), abs(np.sin(b.yaw_rad))]] * 2 for b in piece])
    turn_B22[:, 1] = turn_B22[:, 1, ::-1]
    reach_B2 = (turn_B22 @ np.array([box.half_3[:2] for box in piece])[:, :, None])[..., 0]
    low_2, high_2 = (centre_B2 - reach_B2).min(0), (centre_B2 + reach_B2).max(0)
    return float(low_2[0]), float(low_2[1]), float(high_2[0]), float(high_2[1])
