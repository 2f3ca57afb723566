"""Living rooms with photographed textures, which rooms:SEED/furnished=1 renders."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from dsm_ros.datasets.rooms.box import Box, free_distances_m, triple
from dsm_ros.datasets.rooms.furniture import Piece, turned
from dsm_ros.datasets.rooms.light_map import build_light_map
from dsm_ros.datasets.rooms.paints import mix_paints
from dsm_ros.datasets.rooms.pieces import (
    FRONT,
    Store,
    bookcase,
    cartons,
    desk,
    door,
    floor_lamp,
    plant,
    sideboard,
    sofa,
    table,
)  # fmt: skip
from dsm_ros.datasets.rooms.placement import area_of, at_wall
from dsm_ros.datasets.rooms.scene import Room, RoomStyle
from dsm_ros.datasets.rooms.table import corners_of
from dsm_ros.datasets.rooms.texture import build_pyramid
from dsm_ros.datasets.rooms.walk import make_floor_plan, path_of
from dsm_ros.datasets.rooms.wall_pieces import SILL_M, WINDOW_M, gallery, skirting, window

WALL_CLEARANCE_M = 0.4  # minimum distance of furniture along the walls from the walks
CORNER_M, WALL_GAP_M = 0.3, 0.002
EYE_LEVEL_M = 1.62
SUN_SLOPE, SUN_SHIFT = 0.85, 0.35  # distances of sunlight from a window, inwards and sideways, in heights of the glass


def lounge(store: Store) -> Piece:
    """Return a sofa below pictures."""
    return [*turned(sofa(store, 2.1), 0.0, (0, 0.44, 0)), *gallery(store, 3, EYE_LEVEL_M)]


def reading_corner(store: Store) -> Piece:
    """Return an armchair below a picture."""
    return [*turned(sofa(store, 0.95), 0.0, (0, 0.44, 0)), *gallery(store, 1, EYE_LEVEL_M)]


def study(store: Store) -> Piece:
    """Return a desk below a window."""
    return [*window(store), *turned(desk(store), 0.0, (0, 0.52, 0))]


def media(store: Store) -> Piece:
    """Return a sideboard below pictures."""
    return [*turned(sideboard(store), 0.0, (0, 0.24, 0)), *gallery(store, 2, EYE_LEVEL_M + 0.15)]


def corner_table(store: Store) -> Piece:
    """Return a side table below a picture."""
    return [*turned(table(store), 0.0, (0, 0.28, 0)), *gallery(store, 1, EYE_LEVEL_M)]


# Furniture along each wall, from left to right; the first wall is the longest.
WALL_FURNITURE: tuple[tuple[Callable[[Store], Piece], ...], ...] = (
    (door, media, window, plant),
    (corner_table, lounge, floor_lamp),
    (cartons, study, bookcase, plant),
    (bookcase, bookcase, reading_corner, plant, corner_table),
)


def make_living_room(seed: int, style: RoomStyle) -> Room:
    """Return the furnished room of a seed, with the size and the walks of the unfurnished room of the same seed."""
    rng = np.random.default_rng(seed)
    size_3, walks = make_floor_plan(rng)
    paints = mix_paints(rng, style.blank)
    store = Store(rng, paints)
    views = set(paints.views)
    furniture = _furniture(store, size_3, path_of(walks), style.clutter)
    things = [*skirting(store, size_3), *_middle(store, size_3), *furniture]
    sunny = _sunlight([box for box in furniture if box.textures_6[FRONT] in views])
    lamps = (triple(size_3 * (0.35, 0.5, 0.85)), triple(size_3 * (0.65, 0.5, 0.85)))
    light_map = build_light_map(size_3, corners_of(things), sunny)
    boxes = (_shell(size_3, store, style), *things)
    return Room(size_3, boxes, build_pyramid(paints.textures), lamps, walks, light_map)


def _shell(size_3: NDArray[np.float64], store: Store, style: RoomStyle) -> Box:
    """Return the walls, one of which is made of bricks, the floor and the ceiling."""
    wall = store.of("wall")
    textures, tiles = [wall] * 4 + [store.of("floor"), store.of("ceiling")], [1.9] * 4 + [1.5, 1.9]
    if not style.blank:
        accent = int(store.rng.integers(4))
        textures[accent], tiles[accent] = store.of("accent"), 1.4
    return Box(triple(size_3 / 2), triple(size_3 / 2), 0.0, tuple(textures), tuple(tiles), grain=0.0)


def _middle(store: Store, size_3: NDArray[np.float64]) -> Piece:
    """Return the rug and the lamp below the ceiling."""
    x, y, z = triple(size_3 * (0.5, 0.5, 1.0))
    rug = store.box((x, y, 0.005), (1.9, 2.65, 0.01), "rug", 0.0)
    return [rug, store.box((x, y, z - 0.04), (0.9, 0.3, 0.08), "glow", 0.0)]


def _furniture(store: Store, size_3: NDArray[np.float64], path_P3: NDArray[np.float64], count: int) -> Piece:
    """Return up to ``count`` pieces along the walls that keep a distance from each other and from the camera paths."""
    placed: list[Box] = []
    areas: list[tuple[float, float, float, float]] = []
    longest = int(size_3[1] > size_3[0])
    walls = [longest, *store.rng.permutation([wall for wall in range(4) if wall != longest])]
    for wall, makers in zip(walls, WALL_FURNITURE, strict=True):
        for piece in _along(store, makers, int(wall), size_3):
            x0, y0, x1, y1 = area = area_of(piece)
            apart = all(x1 < a0 or a1 < x0 or y1 < b0 or b1 < y0 for a0, b0, a1, b1 in areas)
            if len(areas) < count and apart and free_distances_m(piece, path_P3).min() > WALL_CLEARANCE_M:
                placed += piece
                areas.append(area)
    return placed


def _along(
    store: Store, makers: Sequence[Callable[[Store], Piece]], wall: int, size_3: NDArray[np.float64]
) -> list[Piece]:
    """Return pieces of furniture spread along a wall; pieces that do not fit are left out."""
    free_m = float(size_3[wall % 2]) - 2 * CORNER_M
    pieces: list[tuple[Piece, float]] = []
    for make in makers:
        piece = make(store)
        x0, _, x1, _ = area_of(piece)
        if x1 - x0 <= free_m:
            pieces.append((piece, x1 - x0))
            free_m -= x1 - x0
    gap_m = free_m / max(1, len(pieces) - 1)
    placed, at_m = [], CORNER_M
    for piece, wide_m in pieces:
        x0, y0, _, _ = area_of(piece)
        placed.append(at_wall(piece, wall, at_m - x0, WALL_GAP_M - y0, size_3))
        at_m += wide_m + gap_m
    return placed


def _sunlight(windows: Sequence[Box]) -> list[NDArray[np.float64]]:
    """Return the polygons (P, 2) of sunlight on the floor through the two panes of the first window (m)."""
    polygons = []
    for box in windows[:1]:
        cos, sin = np.cos(box.yaw_rad), np.sin(box.yaw_rad)
        for side in (-1, 1):
            edges = (side * 0.06, side * (WINDOW_M[0] / 2 - 0.05))
            heights = (SILL_M, SILL_M + WINDOW_M[1])
            points = np.array([(x + SUN_SHIFT * z, SUN_SLOPE * z) for x in edges for z in heights])
            polygons.append(points @ np.array([[cos, sin], [-sin, cos]]) + box.centre_3[:2])
    return polygons
