"""Shipped photographs of surfaces, books and pictures, and textures made from the photographs."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dsm_ros.datasets.rooms.texture import SIZE_TEXELS
from dsm_ros.errors import SequenceError

FOLDER = Path(__file__).parent / "textures"
BOOK_ROWS = ("books1", "books2", "books3", "books4")

Image = NDArray[np.float32]


@cache
def photograph(name: str) -> Image:
    """Return a shipped photograph as RGB 0..1 (H, W, 3) at its original size. Raises SequenceError without it."""
    image = cv2.imread(str(FOLDER / f"{name}.jpg"))
    if image is None:
        raise SequenceError(f"the texture '{FOLDER / name}.jpg' is missing; install dsm_ros again")
    return cv2.cvtColor(image, cv2.COLOR_BGR2RGB).astype(np.float32) / 255


def texture(image: Image) -> Tensor:
    """Return an image as a texture (3, SIZE_TEXELS, SIZE_TEXELS), the right way up on a face that is seen from +y."""
    square = cv2.resize(image, (SIZE_TEXELS, SIZE_TEXELS), interpolation=cv2.INTER_AREA)
    return torch.from_numpy(np.ascontiguousarray(square[::-1, ::-1])).permute(2, 0, 1)


def painted(color: tuple[float, float, float], relief: float) -> Image:
    """Return plaster in a colour (RGB 0..1); relief: contrast relative to the photograph of plaster."""
    grey = photograph("plaster").mean(2, keepdims=True)
    return np.clip(np.array(color, np.float32) * (1 + relief * (grey / grey.mean() - 1)), 0, 1)


def brightened(image: Image, mean: float) -> Image:
    """Return an image scaled to a mean brightness."""
    return np.clip(image * (mean / image.mean()), 0, 1)


def row_heights() -> NDArray[np.float64]:
    """Return the heights of the rows of books as shares of their sum, in the order of BOOK_ROWS."""
    heights = np.array([photograph(name).shape[0] for name in BOOK_ROWS], float)
    return heights / heights.sum()


def book_sheet(order: list[int], shift: float) -> Image:
    """Return the four rows of books in an order from top to bottom, shifted sideways by a share of their width."""
    rows = [np.roll(photograph(BOOK_ROWS[i]), int(shift * SIZE_TEXELS * (i + 1)), axis=1) for i in order]
    return np.concatenate(rows)


def curtain(image: Image, folds: int = 9) -> Image:
    """Return a cloth with the shading of vertical folds."""
    phase = np.linspace(0, 2 * np.pi * folds, image.shape[1], endpoint=False)
    shade = 0.8 + 0.2 * np.sin(phase + 0.8 * np.sin(phase / 3))
    return image * shade[None, :, None].astype(np.float32)
