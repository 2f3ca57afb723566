"""Construction of procedural rooms from a seed."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray

from dsm_ros.datasets.rooms.box import FACES, Box, free_distance_m, free_distances_m, triple
from dsm_ros.datasets.rooms.living_room import make_living_room
from dsm_ros.datasets.rooms.random_room import make_random_room
from dsm_ros.datasets.rooms.scene import Room, RoomStyle
from dsm_ros.datasets.rooms.texture import build_pyramid, collage, grain, plain
from dsm_ros.datasets.rooms.texture_pack import TextureLibrary
from dsm_ros.datasets.rooms.walk import CLEARANCE_M, Walk, make_floor_plan, path_of

__all__ = ["Room", "RoomStyle", "free_distance_m", "make_room"]


@lru_cache(maxsize=4)  # all walks of one seed share the room
def make_room(seed: int, style: RoomStyle, library: TextureLibrary | None = None) -> Room:
    """Return the procedural room of a seed.

    library: textures for a training room; None for a furnished room, or a room with seeded collages, by the style.
    """
    if library is not None:
        return make_random_room(seed, style, library)
    if style.furnished:
        return make_living_room(seed, style)
    rng = np.random.default_rng(seed)
    size_3, walks = make_floor_plan(rng)
    generator = torch.Generator().manual_seed(seed)
    wall_textures = [plain(generator) if style.blank else collage(generator, 120) for _ in range(FACES)]
    object_textures = [collage(generator, 60) for _ in range(4 if style.repeat else 2 * style.clutter + 12)]
    textures = build_pyramid([grain(generator), *wall_textures, *object_textures])
    # The grain repeats every 0.6 m, so on a wall without other texture it would make different places look alike.
    shell = Box(triple(size_3 / 2), triple(size_3 / 2), 0.0, tuple(range(1, 1 + FACES)), grain=float(not style.blank))
    first, count = 1 + FACES, len(object_textures)
    furniture = _place_furniture(size_3, walks, style.clutter, first, count, rng)
    posters = [] if style.blank else [_poster(size_3, first, count, rng) for _ in range(10)]
    lamp_3 = (float(size_3[0] / 2), float(size_3[1] / 2), float(size_3[2] - 0.2))
    return Room(size_3, (shell, *furniture, *posters), textures, (lamp_3,), walks)


def _place_furniture(
    size_3: NDArray[np.float64],
    walks: tuple[Walk, ...],
    count: int,
    first: int,
    textures: int,
    rng: np.random.Generator,
) -> list[Box]:
    path_P3 = path_of(walks)
    placed: list[Box] = []
    for _ in range(count * 20):
        if len(placed) == count:
            break
        half_3 = rng.uniform([0.15, 0.15, 0.15], [0.6, 0.4, 1.0])
        floor_z = half_3[2] if rng.random() < 0.75 else rng.uniform(half_3[2], size_3[2] - half_3[2])
        middle_2 = rng.uniform(half_3[:2], size_3[:2] - half_3[:2])
        yaw = float(rng.choice([0.0, np.pi / 2]) + rng.normal(0, 0.15))
        chosen = tuple(first + int(i) for i in rng.integers(0, textures, FACES))
        box = Box((float(middle_2[0]), float(middle_2[1]), float(floor_z)), triple(half_3), yaw, chosen)
        if free_distances_m([box], path_P3).min() > CLEARANCE_M:
            placed.append(box)
    return placed


def _poster(size_3: NDArray[np.float64], first: int, textures: int, rng: np.random.Generator) -> Box:
    """Return a poster, a thin box on a wall."""
    wall, along = int(rng.integers(4)), rng.uniform(0.15, 0.85)
    width, height = rng.uniform(0.2, 0.6), rng.uniform(0.2, 0.5)
    z = rng.uniform(0.9, size_3[2] - 0.6)
    axis, far = wall % 2, wall >= 2
    centre, half = np.zeros(3), np.zeros(3)
    centre[axis], half[axis] = (size_3[axis] - 0.01 if far else 0.01), 0.01
    centre[1 - axis], half[1 - axis] = along * size_3[1 - axis], width
    centre[2], half[2] = z, height
    return Box(triple(centre), triple(half), 0.0, (first + int(rng.integers(textures)),) * FACES)
