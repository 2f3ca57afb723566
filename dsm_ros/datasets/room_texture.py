"""Textures of procedural rooms: seeded collages with structure from centimetres to the size of a wall."""

from __future__ import annotations

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

    def lookup(self, texture_P: Tensor, uv_P2: Tensor, texels_per_pixel_P: Tensor) -> Tensor:
        """Return RGB (P, 3) at uv (0..1, repeating), bilinear in the mip level that a pixel covers.

        texels_per_pixel_P: how many finest texels one pixel spans; the next coarser level beyond 1 is taken.
        """
        device = uv_P2.device
        level_P = texels_per_pixel_P.clamp(min=1).log2().round().long().clamp(max=len(self.sides) - 1)
        side_P = torch.tensor(self.sides, device=device)[level_P]
        start_P = torch.tensor(self.level_starts, device=device)[level_P] + texture_P * side_P * side_P
        texel_P2 = uv_P2.remainder(1) * side_P[:, None] - 0.5
        low_P2 = texel_P2.floor()
        fraction_P2 = texel_P2 - low_P2
        u_P, v_P = low_P2.long().unbind(1)
        rgb_P3 = torch.zeros(len(u_P), 3, device=device)
        for dv in (0, 1):
            for du in (0, 1):
                weight_P = (fraction_P2[:, 0] - 1 + du).abs() * (fraction_P2[:, 1] - 1 + dv).abs()
                cell_P = (v_P + dv).remainder(side_P) * side_P + (u_P + du).remainder(side_P)
                rgb_P3 += self.texels_T3[start_P + cell_P] * weight_P[:, None]
        return rgb_P3


def build_pyramid(textures: list[Tensor]) -> TexturePyramid:
    """Return the pyramid of textures (3, S, S); each level averages 2x2 texels of the one before."""
    level_N3SS = torch.stack(textures)
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
    """Return colours (count, 3) around one hue, with an accent now and then."""
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
    """Return a texture (3, size, size): noise, then rectangles, ellipses and stripes of falling size on it."""
    colors_N3 = random_palette(generator, shapes + 1)
    image = (colors_N3[0, :, None, None] + 0.12 * fractal_noise(generator, size)).expand(3, -1, -1).clone()
    y, x = torch.meshgrid(torch.linspace(0, 1, size), torch.linspace(0, 1, size), indexing="ij")
    for i in range(shapes):
        values = torch.rand(6, generator=generator).tolist()
        extent = 0.25 * 0.97**i + 0.015
        du, dv = (
            (x - values[0]).abs() / (extent * (0.3 + values[2])),
            (y - values[1]).abs() / (extent * (0.3 + values[3])),
        )
        inside = (du * du + dv * dv < 1) if values[4] < 0.35 else (torch.maximum(du, dv) < 1)
        if values[4] > 0.8:
            inside &= ((x + y if values[5] < 0.5 else x) * (12 + 60 * values[5])).remainder(1) < 0.5
        image = torch.where(inside, colors_N3[i + 1, :, None, None] + 0.3 * (image - image.mean()), image)
    return (image + 0.08 * fractal_noise(generator, size, 32, 4)).clamp(0.02, 0.98)


def plain(generator: torch.Generator, size: int = SIZE_TEXELS) -> Tensor:
    """Return an almost blank texture (3, size, size), as of a painted wall."""
    color_3 = torch.rand(3, generator=generator) * 0.3 + 0.6
    return (color_3[:, None, None] + 0.01 * fractal_noise(generator, size, 2, 3)).clamp(0, 1)


def grain(generator: torch.Generator, size: int = SIZE_TEXELS) -> Tensor:
    """Return a grey detail texture (3, size, size) around 0.5 that others are multiplied with."""
    return (0.5 + 0.12 * fractal_noise(generator, size, 16, 5)).expand(3, -1, -1).clamp(0.1, 0.9)
