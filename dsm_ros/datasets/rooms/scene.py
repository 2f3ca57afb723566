"""A procedural room: its boxes, textures and lamps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from dsm_ros.datasets.rooms.box import Box
from dsm_ros.datasets.rooms.table import BoxTable, build_table
from dsm_ros.datasets.rooms.texture import TexturePyramid
from dsm_ros.datasets.rooms.walk import Walk


@dataclass(frozen=True)
class RoomStyle:
    """Options of a procedural room.

    clutter: pieces of furniture. blank: plain walls. repeat: the same few textures everywhere. furnished: photographed
    textures on furniture of a living room.
    """

    clutter: int = 16
    blank: bool = False
    repeat: bool = False
    furnished: bool = False


@dataclass(frozen=True)
class Room:
    """A room of ``size_3`` metres with a corner at the origin, z up; the first box is its shell.

    lamps: positions (m). light_map: a texture for each of the six faces of the shell and a constant texture for
    everything else; colours are multiplied by twice the texture. None without light maps. Texture 0 is the grain of all
    boxes.
    """

    size_3: NDArray[np.float64]
    boxes: tuple[Box, ...]
    textures: TexturePyramid
    lamps: tuple[tuple[float, float, float], ...]
    walks: tuple[Walk, ...]
    light_map: TexturePyramid | None = None

    def on(self, device: str) -> Room:
        """Return the room with its textures moved to a device."""
        light_map = self.light_map.to(device) if self.light_map else None
        return replace(self, textures=self.textures.to(device), light_map=light_map)

    @cached_property
    def table(self) -> BoxTable:
        """The boxes as arrays, on the device of the textures."""
        return build_table(self.boxes, self.textures.texels_T3.device)
