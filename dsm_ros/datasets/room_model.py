"""What stands in a procedural room: textured boxes, all of them seeded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from dsm_ros.datasets.room_texture import TexturePyramid, build_pyramid, collage, grain, plain
from dsm_ros.datasets.room_walk import Walk, make_walk

WALKS = 4
CLEARANCE_M = 0.5
FACES = 6


@dataclass(frozen=True)
class Box:
    """A box turned about z: centre and half size (m), yaw (rad), the texture of each face (-x +x -y +y -z +z).

    The room itself is a box seen from inside.
    """

    centre_3: tuple[float, float, float]
    half_3: tuple[float, float, float]
    yaw_rad: float
    textures_6: tuple[int, ...]


@dataclass(frozen=True)
class Room:
    """A room of ``size_3`` metres with a corner at the origin, z up; texture 0 is the common grain."""

    size_3: NDArray[np.float64]
    boxes: tuple[Box, ...]
    textures: TexturePyramid
    lamp_3: tuple[float, float, float]
    walks: tuple[Walk, ...]

    def on(self, device: str) -> Room:
        """Return the room with its textures on another device."""
        return replace(self, textures=self.textures.to(device))


@dataclass(frozen=True)
class RoomStyle:
    """What kind of room: pieces of furniture, blank walls, the same few textures everywhere."""

    clutter: int = 16
    blank: bool = False
    repeat: bool = False


@lru_cache(maxsize=4)  # the walks of a room share it
def make_room(seed: int, style: RoomStyle) -> Room:
    """Return the room of a seed; the same on every machine and device."""
    rng = np.random.default_rng(seed)
    size_3 = rng.uniform([5.0, 4.5, 2.5], [6.5, 6.0, 2.9])
    walks = tuple(make_walk(size_3, number, rng) for number in range(WALKS))
    generator = torch.Generator().manual_seed(seed)
    wall_textures = [plain(generator) if style.blank else collage(generator, 120) for _ in range(FACES)]
    object_textures = [collage(generator, 60) for _ in range(4 if style.repeat else 2 * style.clutter + 12)]
    textures = build_pyramid([grain(generator), *wall_textures, *object_textures])
    shell = Box(_triple(size_3 / 2), _triple(size_3 / 2), 0.0, tuple(range(1, 1 + FACES)))
    first, count = 1 + FACES, len(object_textures)
    furniture = _place_furniture(size_3, walks, style.clutter, first, count, rng)
    posters = [] if style.blank else [_poster(size_3, first, count, rng) for _ in range(10)]
    lamp_3 = (float(size_3[0] / 2), float(size_3[1] / 2), float(size_3[2] - 0.2))
    return Room(size_3, (shell, *furniture, *posters), textures, lamp_3, walks)


def free_distance_m(boxes: tuple[Box, ...] | list[Box], point_3: NDArray[np.float64]) -> float:
    """Return the distance from a point in the room to the nearest furniture (not the shell)."""
    return min((_distance_m(box, point_3) for box in boxes), default=float("inf"))


def _distance_m(box: Box, point_3: NDArray[np.float64]) -> float:
    offset_3 = point_3 - box.centre_3
    cos, sin = np.cos(box.yaw_rad), np.sin(box.yaw_rad)
    local_3 = np.array([cos * offset_3[0] + sin * offset_3[1], cos * offset_3[1] - sin * offset_3[0], offset_3[2]])
    return float(np.linalg.norm(np.maximum(np.abs(local_3) - box.half_3, 0)))


def _place_furniture(
    size_3: NDArray[np.float64],
    walks: tuple[Walk, ...],
    count: int,
    first: int,
    textures: int,
    rng: np.random.Generator,
) -> list[Box]:
    path = [walk.position(phase) for walk in walks for phase in np.linspace(0, 1, 60)]
    placed: list[Box] = []
    for _ in range(count * 20):
        if len(placed) == count:
            break
        half_3 = rng.uniform([0.15, 0.15, 0.15], [0.6, 0.4, 1.0])
        floor_z = half_3[2] if rng.random() < 0.75 else rng.uniform(half_3[2], size_3[2] - half_3[2])
        middle_2 = rng.uniform(half_3[:2], size_3[:2] - half_3[:2])
        yaw = float(rng.choice([0.0, np.pi / 2]) + rng.normal(0, 0.15))
        chosen = tuple(first + int(i) for i in rng.integers(0, textures, FACES))
        box = Box((float(middle_2[0]), float(middle_2[1]), float(floor_z)), _triple(half_3), yaw, chosen)
        if min(_distance_m(box, point) for point in path) > CLEARANCE_M:
            placed.append(box)
    return placed


def _poster(size_3: NDArray[np.float64], first: int, textures: int, rng: np.random.Generator) -> Box:
    """Return a thin box on a wall."""
    wall, along = int(rng.integers(4)), rng.uniform(0.15, 0.85)
    width, height = rng.uniform(0.2, 0.6), rng.uniform(0.2, 0.5)
    z = rng.uniform(0.9, size_3[2] - 0.6)
    axis, far = wall % 2, wall >= 2
    centre, half = np.zeros(3), np.zeros(3)
    centre[axis], half[axis] = (size_3[axis] - 0.01 if far else 0.01), 0.01
    centre[1 - axis], half[1 - axis] = along * size_3[1 - axis], width
    centre[2], half[2] = z, height
    return Box(_triple(centre), _triple(half), 0.0, (first + int(rng.integers(textures)),) * FACES)


def _triple(values: NDArray[np.float64]) -> tuple[float, float, float]:
    return float(values[0]), float(values[1]), float(values[2])
