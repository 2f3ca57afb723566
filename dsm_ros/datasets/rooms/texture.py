"""Textures of procedural rooms: seeded collages with structure from centimetres to the size of a wall."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

SIZE_TEXELS = 512


@dataclass(frozen=True)
class TexturePyramid:
    """Square textures with all their mip levels in one table.

    texels_T3: float32 RGB 0..1, all textures and levels; level_starts and sides are per level (0 = finest).
    """

    texels_T3: Tensor
    level_starts: tuple[int, ...]
    sides: tuple[int, ...]

    def to(self, device: str) -> TexturePyramid:
        """Return the textures on another device."""
        return TexturePyramid(self.texels_T3.to(device), self.level_starts, self.sides)

    def lookup(self, texture_P: Tensor, u_P: Tensor, v_P: Tensor, texels_per_pixel_P: Tensor) -> Tensor:
        """Return RGB (P, 3) at u, v (0..1, repeating), bilinear in the mip level that a pixel covers.

        texture_P: int32. texels_per_pixel_P: number of finest texels that one pixel spans; above 1, a coarser level is
        used.
        """
        level_P = texels_per_pixel_P.clamp(min=1).log2().round_().clamp_(max=len(self.sides) - 1).int()
        side_P = self.sides[0] >> level_P
        starts = torch.tensor(self.level_starts, dtype=torch.int32, device=u_P.device)
        start_P = starts.index_select(0, level_P) + texture_P * side_P * side_P
        left_P, right_P, share_u_P = _cells(u_P, side_P)
        low_P, high_P, share_v_P = _cells(v_P, side_P)
        low_P, high_P = start_P + low_P * side_P, start_P + high_P * side_P

        def texels(cells_P: Tensor) -> Tensor:
            return self.texels_T3.index_select(0, cells_P)

        low_P3 = torch.lerp(texels(low_P + left_P), texels(low_P + right_P), share_u_P[:, None])
        high_P3 = torch.lerp(texels(high_P + left_P), texels(high_P + right_P), share_u_P[:, None])
        return torch.lerp(low_P3, high_P3, share_v_P[:, None])


def _cells(u_P: Tensor, side_P: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the two texels around a coordinate 0..1, with wrap-around, and the weight of the second texel."""
    texel_P = (u_P - u_P.floor()) * side_P - 0.5
    before_P = texel_P.floor()
    cell_P = before_P.int()
    return cell_P & (side_P - 1), (cell_P + 1) & (side_P - 1), texel_P - before_P


def build_pyramid(textures: list[Tensor]) -> TexturePyramid:
    """Return the pyramid of textures (3, S, S); each level averages 2x2 texels of the previous level."""
    level_N3SS = torch.stack([texture_3SS.permute(1, 2, 0) for texture_3SS in textures]).permute(0, 3, 1, 2)
    levels, starts, sides = [], [], []
    total = 0
    while True:
        levels.append(level_N3SS.permute(0, 2, 3, 1).reshape(-1, 3))
        starts.append(total)
        sides.append(level_N3SS.shape[-1])
        total += len(levels[-1])
        if sides[-1] <= 2:
            return TexturePyramid(torch.cat(levels), tuple(starts), tuple(sides))
        level_N3SS = F.avg_pool2d(level_N3SS, 2)


def random_palette(generator: torch.Generator, count: int) -> Tensor:
    """Return colours (count, 3) around one hue, sometimes with an accent colour."""
    base_3 = torch.rand(3, generator=generator) * 0.6 + 0.25
    colors_N3 = base_3 + (torch.rand(count, 3, generator=generator) - 0.5) * 0.5
    accents_N1 = torch.rand(count, 1, generator=generator) < 0.3
    return torch.where(accents_N1, torch.rand(count, 3, generator=generator), colors_N3).clamp(0.03, 0.97)


def fractal_noise(generator: torch.Generator, size: int, first_cells: int = 4, octaves: int = 6) -> Tensor:
    """Return noise (1, size, size) of about -1..1 whose amplitude halves as its frequency doubles."""
    total = torch.zeros(1, 1, size, size)
    for octave in range(octaves):
        cells = min(size, first_cells * 2**octave)
        grid = torch.rand(1, 1, cells, cells, generator=generator) * 2 - 1
        total += F.interpolate(grid, size=(size, size), mode="bicubic") * 0.6**octave
    return total[0]


def collage(generator: torch.Generator, shapes: int, size: int = SIZE_TEXELS) -> Tensor:
    """Return a texture (3, size, size) of noise, covered with rectangles, ellipses and stripes of falling size."""
    colors_N3 = random_palette(generator, shapes + 1)
    image = (colors_N3[0, :, None, None] + 0.12 * fractal_noise(generator, size)).expand(3, -1, -1).clone()
    for i in range(shapes):
        values = torch.rand(6, generator=generator).tolist()
        _paint_shape(image, colors_N3[i + 1, :, None, None], 0.25 * 0.97**i + 0.015, values)
    return (image + 0.08 * fractal_noise(generator, size, 32, 4)).clamp(0.02, 0.98)


def _paint_shape(image: Tensor, color_311: Tensor, extent: float, values: list[float]) -> None:
    """Paint one shape into the window of a texture (3, S, S) that it covers; values: middle, sides, kind, stripes."""
    u, v, wide, high, kind, stripes = values
    half_u, half_v = extent * (0.3 + wide), extent * (0.3 + high)
    size = image.shape[-1]
    columns, rows = _window(u, half_u, size), _window(v, half_v, size)
    ticks = torch.linspace(0, 1, size)
    x, y = ticks[columns], ticks[rows, None]
    du, dv = (x - u).abs() / half_u, (y - v).abs() / half_v
    inside = (du * du + dv * dv < 1) if kind < 0.35 else (torch.maximum(du, dv) < 1)
    if kind > 0.8:
        inside &= ((x + y if stripes < 0.5 else x) * (12 + 60 * stripes)).remainder(1) < 0.5
    patch = image[:, rows, columns]
    image[:, rows, columns] = torch.where(inside, color_311 + 0.3 * (patch - image.mean()), patch)


def _window(middle: float, half: float, size: int) -> slice:
    return slice(max(0, math.floor((middle - half) * (size - 1))), math.ceil((middle + half) * (size - 1)) + 1)


def plain(generator: torch.Generator, size: int = SIZE_TEXELS) -> Tensor:
    """Return an almost blank texture (3, size, size), like a painted wall."""
    color_3 = torch.rand(3, generator=generator) * 0.3 + 0.6
    return (color_3[:, None, None] + 0.01 * fractal_noise(generator, size, 2, 3)).clamp(0, 1)


def grain(generator: torch.Generator, size: int = SIZE_TEXELS) -> Tensor:
    """Return a grey detail texture (3, size, size) around 0.5, by which other textures are multiplied."""
    return (0.5 + 0.12 * fractal_noise(generator, size, 16, 5)).expand(3, -1, -1).clamp(0.1, 0.9)
