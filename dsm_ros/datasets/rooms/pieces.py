"""Furniture of living rooms, made of boxes; each piece stands at the origin with its back towards -y."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from dsm_ros.datasets.rooms.box import FACES, Box
from dsm_ros.datasets.rooms.furniture import BOARD_M, Piece, turned
from dsm_ros.datasets.rooms.paints import Paints

FRONT = 3  # number of the face towards +y

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class Store:
    """A seeded random generator, and the textures from which it chooses for each piece."""

    rng: np.random.Generator
    paints: Paints

    def of(self, kind: str) -> int:
        """Return the index of a random texture of a kind."""
        return int(self.rng.choice(self.paints.materials[kind]))

    def between(self, low: float, high: float) -> float:
        """Return a random number between ``low`` and ``high``."""
        return float(self.rng.uniform(low, high))

    def box(self, centre: Triple, size: Triple, material: int | str, tile_m: float = 0.7) -> Box:
        """Return a box of one material with a centre and a full size (m); tile_m 0 stretches the texture."""
        number = self.of(material) if isinstance(material, str) else material
        half = (size[0] / 2, size[1] / 2, size[2] / 2)
        return Box(centre, half, 0.0, (number,) * FACES, (tile_m,) * FACES, grain=0.0)

    def front(self, centre: Triple, size: Triple, image: int, edge: int | str) -> Box:
        """Return a box with an image on its front and a material on its other faces."""
        box = self.box(centre, size, edge)
        faces, tiles = list(box.textures_6), list(box.tiles_m_6)
        faces[FRONT], tiles[FRONT] = image, 0.0
        return replace(box, textures_6=tuple(faces), tiles_m_6=tuple(tiles))


def bookcase(store: Store) -> Piece:
    """Return a bookcase of eight full boards, 0.92 m wide and 2.1 m high."""
    wood, wide, deep = store.of("wood"), 0.92, 0.3
    sheet_m = 1.02
    piece = [store.box((side * wide / 2, 0, 1.05), (2 * BOARD_M, deep, 2.1), wood) for side in (-1, 1)]
    for low in (0.04, 0.04 + sheet_m):
        sheet = store.paints.sheets[int(store.rng.integers(len(store.paints.sheets)))]
        piece.append(store.front((0, -0.03, low + sheet_m / 2), (wide, deep - 0.08, sheet_m), sheet.texture, wood))
        piece += [store.box((0, 0, low + at * sheet_m), (wide, deep, 2 * BOARD_M), wood) for at in sheet.boards]
    return piece


def sofa(store: Store, wide: float = 2.1) -> Piece:
    """Return a sofa with cushions, or an armchair for a small width."""
    cloth, deep = store.of("cloth"), 0.82
    seats = max(1, round(wide / 0.75))
    inner = wide - 0.36
    piece = [
        store.box((0, 0, 0.2), (wide, deep, 0.24), cloth, 0.4),
        store.box((0, -deep / 2 + 0.1, 0.44), (wide, 0.2, 0.72), cloth, 0.4),
        *(store.box((side * (wide - 0.18) / 2, 0.01, 0.33), (0.18, deep, 0.5), cloth, 0.4) for side in (-1, 1)),
        *(
            store.box((side * (wide / 2 - 0.1), side_y * 0.33, 0.04), (0.06, 0.06, 0.08), "black")
            for side in (-1, 1)
            for side_y in (-1, 1)
        ),
    ]
    for i in range(seats):
        x = inner * ((i + 0.5) / seats - 0.5)
        piece.append(store.box((x, 0.1, 0.39), (inner / seats - 0.015, deep - 0.2, 0.15), cloth, 0.4))
        piece.append(store.box((x, -0.16, 0.62), (inner / seats - 0.04, 0.14, 0.36), cloth, 0.4))
    for side in (-1, 1) if seats > 1 else (1,):
        pillow = store.box((0, 0, 0.63), (0.42, 0.13, 0.36), "pillow", 0.3)
        piece += turned([pillow], store.between(-0.3, 0.3), (side * (inner / 2 - 0.26), 0.0, 0.0))
    return piece


def sideboard(store: Store) -> Piece:
    """Return a sideboard with three doors, and with a screen and books on top."""
    wood, wide, deep, high = store.of("wood"), 1.6, 0.42, 0.6
    piece = [
        store.box((0, 0, 0.12 + high / 2), (wide, deep, high), wood),
        *(store.box((side * 0.7, 0, 0.06), (0.05, 0.3, 0.12), "black") for side in (-1, 1)),
    ]
    for i in (-1, 0, 1):
        x, z = i * wide / 3, 0.12 + high / 2
        piece.append(store.box((x, deep / 2, z), (wide / 3 - 0.012, 0.03, high - 0.04), wood))
        piece.append(store.box((x + 0.18, deep / 2 + 0.02, z + 0.1), (0.02, 0.03, 0.12), "brass"))
    top = 0.12 + high
    piece += turned(screen(store, 1.0, 0.58), 0.0, (0.12, -0.02, top))
    return piece + turned(pile(store), 0.2, (-0.62, 0.0, top))


def screen(store: Store, wide: float, high: float) -> Piece:
    """Return a screen on a foot, with a picture on it."""
    return [
        store.box((0, 0, 0.01), (0.34 * wide, 0.2, 0.02), "black"),
        store.box((0, -0.01, 0.06), (0.08, 0.04, 0.1), "black"),
        store.box((0, 0, 0.09 + high / 2), (wide, 0.035, high), "black"),
        store.front((0, 0.012, 0.09 + high / 2), (wide - 0.03, 0.02, high - 0.03), store.of("screen"), "black"),
    ]


def pile(store: Store) -> Piece:
    """Return a pile of books that lie flat."""
    piece, z = [], 0.0
    for _ in range(int(store.rng.integers(3, 6))):
        thick = store.between(0.02, 0.045)
        book = store.box((0, 0, z + thick / 2), (store.between(0.2, 0.27), store.between(0.14, 0.19), thick), "cover")
        piece.append(replace(book, yaw_rad=store.between(-0.25, 0.25)))
        z += thick
    return piece


def desk(store: Store) -> Piece:
    """Return a desk with a screen, a keyboard, books, a lamp and a chair before it."""
    wood, wide, deep, high = store.of("wood"), 1.4, 0.65, 0.74
    legs = [
        store.box((x * (wide / 2 - 0.05), y * (deep / 2 - 0.05), high / 2 - 0.02), (0.05, 0.05, high - 0.04), "black")
        for x in (-1, 1)
        for y in (-1, 1)
    ]
    piece = [store.box((0, 0, high - 0.02), (wide, deep, 0.04), wood), *legs]
    piece += turned(screen(store, 0.62, 0.38), store.between(-0.2, 0.2), (-0.1, -0.12, high))
    piece.append(store.box((-0.1, 0.16, high + 0.012), (0.42, 0.14, 0.024), "black"))
    piece += turned(pile(store), 0.4, (0.5, 0.02, high)) + turned(lamp(store, 0.42), 0.0, (-0.58, -0.15, high))
    return piece + turned(chair(store), np.pi + store.between(-0.4, 0.4), (store.between(-0.2, 0.2), 0.5, 0.0))


def chair(store: Store) -> Piece:
    """Return a chair with a padded seat and a back of slats."""
    wood, cloth = store.of("wood"), store.of("pillow")
    legs = [store.box((x * 0.19, 0.19, 0.22), (0.04, 0.04, 0.44), wood) for x in (-1, 1)]
    posts = [store.box((x * 0.19, -0.19, 0.45), (0.04, 0.04, 0.9), wood) for x in (-1, 1)]
    slats = [store.box((0, -0.19, z), (0.36, 0.025, 0.07), wood) for z in (0.62, 0.74, 0.86)]
    seat = [store.box((0, 0, 0.44), (0.42, 0.42, 0.03), wood), store.box((0, 0, 0.47), (0.38, 0.38, 0.04), cloth, 0.3)]
    return [*seat, *legs, *posts, *slats]


def table(store: Store) -> Piece:
    """Return a side table with books and a lamp on it."""
    wood = store.of("wood")
    legs = [store.box((x * 0.24, y * 0.2, 0.25), (0.04, 0.04, 0.5), wood) for x in (-1, 1) for y in (-1, 1)]
    top = store.box((0, 0, 0.52), (0.6, 0.5, 0.04), wood)
    return [
        top,
        *legs,
        *turned(pile(store), 0.5, (0.12, 0.08, 0.54)),
        *turned(lamp(store, 0.5), 0.0, (-0.14, -0.08, 0.54)),
    ]


def lamp(store: Store, high: float) -> Piece:
    """Return a lamp of a given height with a light shade."""
    shade = min(0.36, high * 0.45)
    base = store.box((0, 0, 0.012), (0.5 * shade + 0.06, 0.5 * shade + 0.06, 0.024), "brass")
    pole = store.box((0, 0, 0.45 * high), (0.022, 0.022, 0.9 * high), "brass")
    return [base, pole, store.box((0, 0, high - shade / 2), (shade, shade, shade * 0.9), "glow", 0.0)]


def floor_lamp(store: Store) -> Piece:
    """Return a lamp that stands on the floor."""
    return lamp(store, 1.6)


def plant(store: Store) -> Piece:
    """Return a pot with a bushy plant."""
    piece = [
        store.box((0, 0, 0.16), (0.32, 0.32, 0.32), "pot", 0.5),
        store.box((0, 0, 0.34), (0.36, 0.36, 0.06), "pot", 0.5),
        store.box((0, 0, 0.5), (0.035, 0.035, 0.4), "wood"),
    ]
    for i in range(26):
        turn, rise = i * 2.4, i / 25
        reach = 0.26 * np.sin(np.pi * (0.15 + 0.8 * rise)) * store.between(0.5, 1.0)
        leaf = store.box((0, 0, 0), (store.between(0.12, 0.24), 0.02, store.between(0.08, 0.16)), "leaf", 0.3)
        place = (float(reach * np.cos(turn)), float(reach * np.sin(turn)), 0.55 + 0.6 * rise)
        piece += turned([leaf], turn + store.between(-0.5, 0.5), place)
    return piece


def cartons(store: Store) -> Piece:
    """Return two cardboard boxes, one on the other."""
    low = store.box((0, 0, 0.17), (0.5, 0.4, 0.34), "cardboard", 0.0)
    return [low, *turned([store.box((0, 0, 0.45), (0.36, 0.3, 0.22), "cardboard", 0.0)], 0.3, (0.02, 0.0, 0.0))]


def door(store: Store) -> Piece:
    """Return a closed door with its frame, panels and handle."""
    white, wide, high = store.of("white"), 0.9, 2.05
    frame = [store.box((side * wide / 2, 0.02, high / 2), (0.09, 0.08, high), white) for side in (-1, 1)]
    piece = [*frame, store.box((0, 0.02, high), (wide + 0.09, 0.08, 0.09), white)]
    leaf = store.of("door")
    piece.append(store.box((0, 0.005, high / 2), (wide, 0.03, high), leaf, 1.1))
    for x in (-0.19, 0.19):
        for z, tall in ((0.5, 0.7), (1.45, 0.9)):
            piece.append(store.box((x, 0.02, z), (0.27, 0.025, tall), leaf, 1.1))
    return [*piece, store.box((0.36, 0.06, 1.0), (0.13, 0.03, 0.025), "brass")]
