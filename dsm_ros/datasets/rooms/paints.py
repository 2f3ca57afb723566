"""Textures of a living room, grouped by their use in the room."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from torch import Tensor

from dsm_ros.datasets.rooms.photographs import (
    Image,
    book_sheet,
    brightened,
    curtain,
    painted,
    photograph,
    row_heights,
    texture,
)

VIEWS = ("view1", "view2")
PICTURES = tuple(f"picture{i}" for i in range(1, 8))
WALL_COLORS = ((0.86, 0.83, 0.76), (0.62, 0.69, 0.62), (0.58, 0.67, 0.75), (0.86, 0.75, 0.56), (0.76, 0.6, 0.52))
COVERS = ((0.5, 0.14, 0.13), (0.13, 0.25, 0.42), (0.2, 0.38, 0.24), (0.8, 0.68, 0.38), (0.83, 0.8, 0.74))
SHEETS = 4


@dataclass(frozen=True)
class BookSheet:
    """A texture of four rows of books, and the heights of the boards from its bottom, 0..1."""

    texture: int
    boards: tuple[float, ...]


@dataclass(frozen=True)
class Paints:
    """Textures in the order of their numbers, and the numbers of each kind.

    views: textures behind windows. pictures: textures and ratios of width to height. A view or a picture is removed
    from its list when the room uses it, so that none appears twice.
    """

    textures: list[Tensor] = field(default_factory=list)
    materials: dict[str, list[int]] = field(default_factory=dict)
    sheets: list[BookSheet] = field(default_factory=list)
    views: list[int] = field(default_factory=list)
    pictures: list[tuple[int, float]] = field(default_factory=list)

    def add(self, kind: str, *images: Image) -> None:
        """Add textures of one kind."""
        self.materials[kind] = [self.number(image) for image in images]

    def number(self, image: Image) -> int:
        """Add a texture and return its number."""
        self.textures.append(texture(image))
        return len(self.textures) - 1


def mix_paints(rng: np.random.Generator, blank: bool) -> Paints:
    """Return the paints of a room, without pictures in a blank room; rng chooses colours, woods and cloths."""
    paints = Paints()
    main = WALL_COLORS[int(rng.integers(len(WALL_COLORS)))]
    paints.add("wall", painted(main, 0.35))
    paints.add("accent", [brightened(photograph("brick"), 0.42), brightened(photograph("stone"), 0.6)][rng.integers(2)])
    paints.add("floor", photograph("floor") * np.float32(rng.uniform(1.1, 1.4)))
    paints.add("ceiling", painted((0.9, 0.89, 0.86), 0.15))
    woods = ["wood1", "wood2", "wood3", "wood4"]
    paints.add("wood", *(photograph(woods[i]) for i in rng.choice(4, 2, replace=False)))
    cloths = [f"cloth{i}" for i in rng.permutation(4) + 1]
    paints.add("cloth", *(photograph(name) for name in cloths[:2]))
    paints.add("pillow", *(photograph(name) for name in cloths[2:]))
    paints.add("curtain", curtain(np.tile(photograph(cloths[2]), (4, 1, 1))))
    paints.add("rug", photograph("rug"))
    paints.add("screen", photograph("picture8"))
    paints.add("cover", *(painted(color, 0.3) for color in COVERS))
    _add_plain(paints)
    _add_books(paints, rng)
    for name in rng.permutation(VIEWS):
        paints.views.append(paints.number(np.clip(1.35 * photograph(name), 0, 1)))
    for name in [] if blank else rng.permutation(PICTURES):
        height, width = photograph(name).shape[:2]
        paints.pictures.append((paints.number(photograph(name)), width / height))
    return paints


def _add_plain(paints: Paints) -> None:
    paints.add("white", painted((0.85, 0.84, 0.81), 0.1))
    paints.add("black", painted((0.09, 0.09, 0.1), 0.4))
    paints.add("cardboard", painted((0.68, 0.52, 0.36), 0.4))
    paints.add("brass", painted((0.5, 0.4, 0.22), 0.5))
    paints.add("glow", painted((1.0, 0.95, 0.8), 0.05))
    paints.add("pot", painted((0.66, 0.36, 0.25), 0.5))
    paints.add("leaf", *(painted(green, 0.8) for green in ((0.16, 0.33, 0.12), (0.22, 0.42, 0.16))))
    paints.add("door", painted((0.8, 0.79, 0.75), 0.12))
    paints.add("frame", painted((0.12, 0.1, 0.09), 0.4), photograph("wood3") * np.float32(0.6))


def _add_books(paints: Paints, rng: np.random.Generator) -> None:
    for _ in range(SHEETS):
        order = [int(i) for i in rng.permutation(4)]
        boards = np.cumsum([0.0, *row_heights()[order[::-1]]])
        number = paints.number(book_sheet(order, float(rng.random())))
        paints.sheets.append(BookSheet(number, tuple(map(float, boards))))
