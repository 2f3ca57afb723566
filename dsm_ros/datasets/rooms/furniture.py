"""Random pieces of furniture made of textured boxes; each piece stands at the origin with its back towards -y."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from dsm_ros.datasets.rooms.box import FACES, Box

BOARD_M = 0.012  # half the thickness of a shelf's board


@dataclass(frozen=True)
class Workshop:
    """A seeded random generator, and the indices of the textures that furniture may have."""

    rng: np.random.Generator
    textures: range

    def texture(self) -> int:
        """Return the number of a random texture."""
        return int(self.rng.choice(self.textures))

    def between(self, low: float, high: float) -> float:
        """Return a random number between two limits."""
        return float(self.rng.uniform(low, high))

    def box(
        self, centre: tuple[float, float, float], half: tuple[float, float, float], texture: int, tile_m: float = 0.0
    ) -> Box:
        """Return a box with one texture, repeated every ``tile_m`` or, for 0, stretched over each face."""
        return Box(centre, half, 0.0, (texture,) * FACES, (tile_m,) * FACES, grain=0.0)


Piece = list[Box]


def turned(piece: Piece, yaw_rad: float, place_3: tuple[float, float, float]) -> Piece:
    """Return a piece rotated about its origin and moved to a place in the room."""
    cos, sin = np.cos(yaw_rad), np.sin(yaw_rad)
    return [
        replace(
            box,
            centre_3=(
                float(place_3[0] + cos * box.centre_3[0] - sin * box.centre_3[1]),
                float(place_3[1] + sin * box.centre_3[0] + cos * box.centre_3[1]),
                place_3[2] + box.centre_3[2],
            ),
            yaw_rad=box.yaw_rad + yaw_rad,
        )
        for box in piece
    ]


def things(shop: Workshop, half_x: float, half_y: float, z: float, count: int, high_m: float = 0.4) -> Piece:
    """Return objects of 2 to 40 cm that stand on a board around the origin."""
    piece = []
    for _ in range(count):
        x, y = min(half_x, shop.between(0.02, 0.14)), min(half_y, shop.between(0.015, 0.12))
        tall = min(high_m, 0.03 * float(np.exp(shop.between(0, 2.6)))) / 2
        centre = (shop.between(x - half_x, half_x - x), shop.between(y - half_y, half_y - y), z + tall)
        box = shop.box(centre, (x, y, tall), shop.texture())
        faces = tuple(shop.texture() for _ in range(FACES)) if shop.rng.random() < 0.3 else box.textures_6
        piece.append(replace(box, textures_6=faces, yaw_rad=shop.between(-0.6, 0.6)))
    return piece


def table(shop: Workshop) -> Piece:
    """Return a table or desk with legs or sides, and objects on it."""
    x, y, z = shop.between(0.3, 0.9), shop.between(0.25, 0.5), shop.between(0.4, 0.95)
    wood, tile_m, leg = shop.texture(), shop.between(0.4, 1.2), shop.between(0.02, 0.05)
    deep = leg if shop.rng.random() < 0.7 else y
    places = [(sx * (x - leg), sy * (y - deep)) for sx in (-1, 1) for sy in ((-1, 1) if deep == leg else (1,))]
    legs = [shop.box((px, py, z / 2), (leg, deep, z / 2), wood, tile_m) for px, py in places]
    top = shop.box((0, 0, z + 0.02), (x, y, 0.02), wood, tile_m)
    return [top, *legs, *things(shop, x, y, z + 0.04, int(shop.rng.integers(2, 10)), 0.6)]


def shelf(shop: Workshop) -> Piece:
    """Return a bookcase: sides, back, boards, and rows of books or objects on the boards."""
    x, y, z = shop.between(0.3, 0.8), shop.between(0.12, 0.22), shop.between(0.35, 1.1)
    wood, tile_m = shop.texture(), shop.between(0.4, 1.2)
    sides = [shop.box((sx * x, 0, z), (BOARD_M, y, z), wood, tile_m) for sx in (-1, 1)]
    back = shop.box((0, -y, z), (x, 0.006, z), shop.texture(), tile_m)
    boards = np.linspace(BOARD_M, 2 * z - BOARD_M, int(2 * z / shop.between(0.28, 0.45)) + 2)
    piece = [*sides, back, *(shop.box((0, 0, float(at)), (x, y, BOARD_M), wood, tile_m) for at in boards)]
    for low, high in itertools.pairwise(boards):
        fill = books if shop.rng.random() < 0.6 else _few_things
        piece += fill(shop, x - 0.02, y, float(low) + BOARD_M, float(high - low) - 2 * BOARD_M)
    return piece + things(shop, x, y, 2 * z, int(shop.rng.integers(0, 4)))


def books(shop: Workshop, half_x: float, half_y: float, z: float, high_m: float) -> Piece:
    """Return upright books that fill most of a board from the left."""
    piece, at = [], -half_x
    while at < half_x * shop.between(0.0, 0.95):
        wide, tall = shop.between(0.015, 0.06), high_m / 2 * shop.between(0.6, 0.95)
        piece.append(
            shop.box((at + wide, shop.between(-0.04, 0.02), z + tall), (wide, half_y - 0.04, tall), shop.texture())
        )
        at += 2 * wide
    return piece


def _few_things(shop: Workshop, half_x: float, half_y: float, z: float, high_m: float) -> Piece:
    return things(shop, half_x, half_y, z, int(shop.rng.integers(1, 5)), high_m)


def cabinet(shop: Workshop) -> Piece:
    """Return a cupboard, fridge or chest of drawers with separate fronts, and with objects on top if it is low."""
    x, y, z = shop.between(0.2, 0.7), shop.between(0.18, 0.35), shop.between(0.2, 1.0)
    body = shop.box((0, 0, z), (x, y, z), shop.texture(), shop.between(0.5, 1.5))
    columns, rows = (int(n) for n in shop.rng.integers(1, 4, 2))
    front, wide, tall = shop.texture(), x / columns, z / rows
    fronts = [
        shop.box((wide * (2 * i + 1) - x, y, tall * (2 * j + 1)), (wide - 0.01, 0.015, tall - 0.01), front)
        for i in range(columns)
        for j in range(rows)
    ]
    return [body, *fronts, *things(shop, x, y, 2 * z, int(shop.rng.integers(0, 6)))]


def chair(shop: Workshop) -> Piece:
    """Return a chair: seat, back and legs."""
    half, seat, cloth, wood = shop.between(0.18, 0.26), shop.between(0.4, 0.5), shop.texture(), shop.texture()
    legs = [
        shop.box((sx * (half - 0.02), sy * (half - 0.02), seat / 2), (0.02, 0.02, seat / 2), wood, 0.4)
        for sx in (-1, 1)
        for sy in (-1, 1)
    ]
    back = shop.box((0, -half, seat + 0.25), (half, 0.02, shop.between(0.15, 0.3)), cloth, 0.5)
    return [shop.box((0, 0, seat), (half, half, 0.03), cloth, 0.5), back, *legs]


def sofa(shop: Workshop) -> Piece:
    """Return a sofa or bed: seat, back, arms and cushions."""
    x, y, cloth, tile_m = shop.between(0.4, 1.0), shop.between(0.35, 0.5), shop.texture(), shop.between(0.3, 1.0)
    arms = [shop.box((sx * (x + 0.08), 0, 0.3), (0.08, y, 0.3), cloth, tile_m) for sx in (-1, 1)]
    back = shop.box((0, -y, 0.42), (x, 0.1, 0.42), cloth, tile_m)
    cushions = things(shop, x - 0.1, y - 0.15, 0.42, int(shop.rng.integers(0, 4)))
    return [shop.box((0, 0, 0.21), (x, y, 0.21), cloth, tile_m), back, *arms, *cushions]


def panel(shop: Workshop) -> Piece:
    """Return a thin upright panel on a foot: a screen, a board, a partition."""
    x, low, tall = shop.between(0.3, 0.8), shop.between(0.05, 0.6), shop.between(0.4, 0.8)
    board = shop.box((0, 0, low + tall), (x, 0.02, tall), shop.texture(), shop.rng.choice([0.0, 0.6]))
    return [board, shop.box((0, 0, low / 2), (0.04, 0.2, low / 2), shop.texture(), 0.5)]


def heap(shop: Workshop) -> Piece:
    """Return a few boxes of 15 to 60 cm on the floor, some on top of each other."""
    piece, z = [], 0.0
    for _ in range(int(shop.rng.integers(1, 4))):
        x, y, tall = shop.between(0.1, 0.3), shop.between(0.08, 0.25), shop.between(0.06, 0.25)
        box = shop.box((shop.between(-0.05, 0.05), shop.between(-0.05, 0.05), z + tall), (x, y, tall), shop.texture())
        piece.append(replace(box, yaw_rad=shop.between(-0.4, 0.4)))
        z += 2 * tall
    return piece


KINDS: tuple[Callable[[Workshop], Piece], ...] = (
    table, table, shelf, shelf, cabinet, cabinet, chair, chair, sofa, panel, heap, heap
)  # fmt: skip
