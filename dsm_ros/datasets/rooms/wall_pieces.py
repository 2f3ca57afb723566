"""Pictures, windows with curtains and skirting boards of living rooms."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsm_ros.datasets.rooms.furniture import Piece, turned
from dsm_ros.datasets.rooms.pieces import Store

SILL_M, WINDOW_M = 0.92, (1.5, 1.25)
SKIRTING_M = 0.09


def picture(store: Store, image: int, wide: float, high: float) -> Piece:
    """Return a framed picture with its middle at the origin."""
    return [
        store.box((0, 0.012, 0), (wide + 0.05, 0.024, high + 0.05), "frame"),
        store.box((0, 0.016, 0), (wide, 0.022, high), "white"),
        store.front((0, 0.018, 0), (wide - 0.08, 0.022, high - 0.08), image, "white"),
    ]


def gallery(store: Store, count: int, height_m: float) -> Piece:
    """Return up to ``count`` pictures that are not yet in the room, side by side around a height."""
    piece: Piece = []
    for i in range(count):
        if not store.paints.pictures:
            break
        image, aspect = store.paints.pictures.pop()
        side = 0.52 / (1 if count > 1 else 0.8)
        wide, high = (side, side / aspect) if aspect > 1 else (side * aspect, side)
        x = (i - (count - 1) / 2) * (side + 0.14)
        piece += turned(picture(store, image, wide, high), 0.0, (x, 0.0, height_m + store.between(-0.04, 0.04)))
    return piece


def window(store: Store) -> Piece:
    """Return a window with two panes, a view, a sill and curtains."""
    wide, high = WINDOW_M
    white, middle = store.of("white"), SILL_M + high / 2
    piece = [store.front((0, 0.005, middle), (wide, 0.01, high), store.paints.views.pop(), "white")]
    piece += [store.box((x, 0.02, middle), (0.07, 0.05, high + 0.07), white) for x in (-wide / 2, 0.0, wide / 2)]
    piece += [store.box((0, 0.02, middle + z), (wide, 0.05, 0.07), white) for z in (-high / 2, high / 2)]
    piece.append(store.box((0, 0.08, SILL_M - 0.03), (wide + 0.14, 0.16, 0.03), white))
    cloth = store.of("curtain")
    piece += [store.front((side * (wide / 2 + 0.2), 0.11, 1.13), (0.42, 0.05, 2.2), cloth, cloth) for side in (-1, 1)]
    return [*piece, store.box((0, 0.11, 2.25), (wide + 1.0, 0.025, 0.025), "brass")]


def skirting(store: Store, size_3: NDArray[np.float64]) -> Piece:
    """Return the skirting boards of a room, in room coordinates."""
    wide, deep = float(size_3[0]), float(size_3[1])
    white, z, thick = store.of("white"), SKIRTING_M / 2, 0.014
    along_x = [store.box((wide / 2, y, z), (wide, thick, SKIRTING_M), white) for y in (thick / 2, deep - thick / 2)]
    along_y = [store.box((x, deep / 2, z), (thick, deep, SKIRTING_M), white) for x in (thick / 2, wide - thick / 2)]
    return along_x + along_y
