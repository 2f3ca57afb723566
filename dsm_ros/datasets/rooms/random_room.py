"""Training rooms, whose random furniture has random textures of a library."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dsm_ros.datasets.rooms.box import FACES, Box, free_distances_m, triple
from dsm_ros.datasets.rooms.furniture import KINDS, Piece, Workshop, things, turned
from dsm_ros.datasets.rooms.placement import area_of, at_wall
from dsm_ros.datasets.rooms.scene import Room, RoomStyle
from dsm_ros.datasets.rooms.texture import build_pyramid
from dsm_ros.datasets.rooms.texture_pack import SIDE_TEXELS, TextureLibrary
from dsm_ros.datasets.rooms.walk import CLEARANCE_M, WALKS, make_walk, path_of

TEXTURES, REPEATED_TEXTURES = 48, 6
PAINTED_SHARE_F = (0.3, 0.3, 0.3, 0.3, 0.1, 0.7)
THICK_M = 0.015  # half the thickness of objects that hang on a wall


def make_random_room(seed: int, style: RoomStyle, library: TextureLibrary) -> Room:
    """Return the room of a seed: 3 to 8 m wide, with style.clutter pieces of furniture, pictures, carpets and lamps."""
    rng = np.random.default_rng(seed)
    size_3 = rng.uniform([3.0, 3.0, 2.3], [8.0, 6.5, 3.4])
    walks = tuple(make_walk(size_3, number, rng) for number in range(WALKS))
    is_painted_F = rng.random(FACES) < (1.0 if style.blank else np.array(PAINTED_SHARE_F))
    walls = [_paint(rng) if is_painted else _draw(library, rng) for is_painted in is_painted_F]
    others = [_draw(library, rng) for _ in range(REPEATED_TEXTURES if style.repeat else TEXTURES)]
    shop = Workshop(rng, range(FACES, FACES + len(others)))
    tiles = tuple(float(tile_m) for tile_m in rng.uniform(0.5, 2.5, FACES))
    shell = Box(triple(size_3 / 2), triple(size_3 / 2), 0.0, tuple(range(FACES)), tiles, grain=0.0)
    boxes = _furniture(size_3, path_of(walks), style.clutter, shop)
    boxes += _flat_things(size_3, shop) + [box for _ in range(rng.integers(8, 30)) for box in _on_a_wall(size_3, shop)]
    count = int(rng.integers(1, 4))
    lamps = tuple(triple(lamp_3) for lamp_3 in rng.uniform([0.2, 0.2, 0.7], [0.8, 0.8, 0.95], (count, 3)) * size_3)
    return Room(size_3, (shell, *boxes), build_pyramid(walls + others), lamps, walks)


def _draw(library: TextureLibrary, rng: np.random.Generator) -> Tensor:
    """Return a random texture of a library, rotated, tinted, brightened or darkened: (3, S, S), 0..1."""
    image_SS3 = np.rot90(library[int(rng.integers(len(library)))], int(rng.choice([0, 0, 0, 1, 2, 3])))[::-1]
    tint_3 = rng.uniform(0.75, 1.25, 3) * np.exp(rng.uniform(-0.4, 0.35)) / 255
    texture_SS3 = np.minimum(image_SS3 * tint_3.astype(np.float32), 1)
    return torch.from_numpy(texture_SS3).permute(2, 0, 1)


def _paint(rng: np.random.Generator) -> Tensor:
    color_3 = rng.uniform(0.35, 0.85) + rng.uniform(-0.12, 0.12, 3)
    return torch.from_numpy(color_3.astype(np.float32))[:, None, None].expand(3, SIDE_TEXELS, SIDE_TEXELS)


def _furniture(size_3: NDArray[np.float64], path_P3: NDArray[np.float64], count: int, shop: Workshop) -> list[Box]:
    """Return up to ``count`` pieces that keep their distance from each other and from the walks."""
    placed: list[Box] = []
    floor_area: list[tuple[float, float, float, float]] = []
    for _ in range(count * 8):
        if len(floor_area) == count:
            break
        piece = _placed(KINDS[shop.rng.integers(len(KINDS))](shop), size_3, shop)
        x0, y0, x1, y1 = area = area_of(piece)
        inside = x0 >= 0 and y0 >= 0 and x1 <= size_3[0] and y1 <= size_3[1]
        apart = all(x1 < a0 or a1 < x0 or y1 < b0 or b1 < y0 for a0, b0, a1, b1 in floor_area)
        if inside and apart and free_distances_m(piece, path_P3).min() > CLEARANCE_M:
            placed += piece
            floor_area.append(area)
    return placed


def _placed(piece: Piece, size_3: NDArray[np.float64], shop: Workshop) -> Piece:
    """Return a piece with its back to a random wall, or at a random place with a random yaw."""
    if shop.rng.random() < 0.3:
        middle_2 = shop.rng.uniform(0.3, size_3[:2] - 0.3)
        return turned(piece, shop.between(-np.pi, np.pi), (float(middle_2[0]), float(middle_2[1]), 0.0))
    wall = int(shop.rng.integers(4))
    x0, y0, x1, _ = area_of(piece)
    gap_m, reach_m = shop.between(0.01, 0.05) - y0, max(x1, -x0)
    along_m = shop.between(reach_m, max(reach_m, float(size_3[wall % 2]) - reach_m))
    return at_wall(piece, wall, along_m, gap_m, size_3, float(shop.rng.normal(0, 0.02)))


def _on_a_wall(size_3: NDArray[np.float64], shop: Workshop) -> Piece:
    """Return a picture, a window, a door, or a board with things on it, on any wall."""
    wall, kind = int(shop.rng.integers(4)), shop.rng.random()
    if kind < 0.15:
        x, z, low = shop.between(0.35, 0.5), shop.between(0.9, 1.1), 0.0
    elif kind < 0.3:
        x, z, low = shop.between(0.3, 0.9), shop.between(0.3, 0.6), shop.between(0.7, 1.0)
    else:
        x, z, low = shop.between(0.08, 0.5), shop.between(0.08, 0.45), shop.between(0.9, 1.7)
    piece = [shop.box((0, THICK_M, low + z), (x, THICK_M, z), shop.texture())]
    if kind > 0.85:
        board = shop.box((0, 0.1, low), (x, 0.1, 0.012), shop.texture(), 0.5)
        piece = [board, *turned(things(shop, x, 0.1, 0.012, 4, 0.3), 0.0, (0.0, 0.1, low))]
    along_m = shop.between(x, max(x, float(size_3[wall % 2]) - x))
    return at_wall(piece, wall, along_m, 0.0, size_3)


def _flat_things(size_3: NDArray[np.float64], shop: Workshop) -> Piece:
    """Return up to two carpets, and up to two panels below the ceiling."""
    piece = []
    for z, thick in [(0.004, 0.004)] * int(shop.rng.integers(0, 3)) + [(float(size_3[2]) - 0.03, 0.03)] * 2:
        half_2 = shop.rng.uniform(0.15, 1.0, 2)
        middle_2 = shop.rng.uniform(0.3, 0.7, 2) * size_3[:2]
        piece.append(shop.box((*map(float, middle_2), z), (*map(float, half_2), thick), shop.texture()))  # type: ignore[arg-type]
    return piece
