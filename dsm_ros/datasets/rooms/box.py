"""Textured box rotated about the vertical axis, the only shape in a procedural room."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FACES = 6
STRETCHED = (0.0,) * FACES


@dataclass(frozen=True)
class Box:
    """A box rotated about z: centre and half size (m), yaw (rad), the texture of each face (-x +x -y +y -z +z).

    The room itself is a box seen from inside. tiles_m_6: length (m) after which the texture of each face repeats, 0
    to stretch the texture over the face once. grain: strength of the room's grain texture on the box, 0..1.
    """

    centre_3: tuple[float, float, float]
    half_3: tuple[float, float, float]
    yaw_rad: float
    textures_6: tuple[int, ...]
    tiles_m_6: tuple[float, ...] = STRETCHED
    grain: float = 1.0


def free_distance_m(boxes: Sequence[Box], point_3: NDArray[np.float64]) -> float:
    """Return the distance from a point to the nearest furniture, not to the shell; inf in an empty room."""
    return float(free_distances_m(boxes, point_3[None])[0])


def free_distances_m(boxes: Sequence[Box], points_N3: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance (m) from each point to the nearest furniture, inf in an empty room."""
    if not boxes:
        return np.full(len(points_N3), np.inf)
    centre_B3, half_B3 = np.array([box.centre_3 for box in boxes]), np.array([box.half_3 for box in boxes])
    yaw_B = np.array([box.yaw_rad for box in boxes])
    x_NB, y_NB, z_NB = np.moveaxis(points_N3[:, None] - centre_B3, -1, 0)
    cos_B, sin_B = np.cos(yaw_B), np.sin(yaw_B)
    local_NB3 = np.stack([cos_B * x_NB + sin_B * y_NB, cos_B * y_NB - sin_B * x_NB, z_NB], axis=-1)
    return np.linalg.norm(np.maximum(np.abs(local_NB3) - half_B3, 0), axis=-1).min(axis=1)  # type: ignore[no-any-return]


def triple(values: NDArray[np.float64]) -> tuple[float, float, float]:
    """Return an array of three numbers as a tuple of floats."""
    return float(values[0]), float(values[1]), float(values[2])
