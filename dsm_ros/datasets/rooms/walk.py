"""Walks: smooth closed camera paths through the free space of a procedural room."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.pose import Pose44, make_pose

WALKS = 4
CLEARANCE_M = 0.5  # minimum distance of furniture from the walks


@dataclass(frozen=True)
class Walk:
    """A closed path around the middle of a room; the camera looks outwards, and phase 0..1 is one round.

    centre_3: m. radius_2: m along x and y. wobble: seeded phases of the slow swings.
    """

    centre_3: tuple[float, float, float]
    radius_2: tuple[float, float]
    look_offset_rad: float
    wobble_4: tuple[float, float, float, float]

    def position(self, phase: float) -> NDArray[np.float64]:
        """Return the camera centre (m, room frame) at a phase of the walk."""
        turn = 2 * math.pi * phase
        swell = 1 + 0.15 * math.sin(2 * turn + self.wobble_4[0])
        x = self.centre_3[0] + self.radius_2[0] * swell * math.cos(turn)
        y = self.centre_3[1] + self.radius_2[1] * swell * math.sin(turn)
        return np.array([x, y, self.centre_3[2] + 0.12 * math.sin(3 * turn + self.wobble_4[1])])

    def pose(self, phase: float) -> Pose44:
        """Return map_T_camera (optical frame) at a phase of the walk."""
        turn = 2 * math.pi * phase
        yaw = turn + self.look_offset_rad + 0.3 * math.sin(2 * turn + self.wobble_4[2])
        pitch = -0.12 + 0.12 * math.sin(3 * turn + self.wobble_4[3])
        roll = 0.05 * math.sin(4 * turn + self.wobble_4[0])
        return make_pose(look_rotation(yaw, pitch, roll), self.position(phase))


def look_rotation(yaw_rad: float, pitch_rad: float, roll_rad: float) -> NDArray[np.float64]:
    """Return the rotation of an optical frame (z forward, y down) in a world with z up, from yaw and upward pitch."""
    cy, sy, cp, sp = math.cos(yaw_rad), math.sin(yaw_rad), math.cos(pitch_rad), math.sin(pitch_rad)
    forward = np.array([cy * cp, sy * cp, sp])
    right = np.array([sy, -cy, 0.0])
    down = np.cross(forward, right)
    cr, sr = math.cos(roll_rad), math.sin(roll_rad)
    return np.stack([cr * right + sr * down, cr * down - sr * right, forward], axis=1)


def make_walk(size_3: NDArray[np.float64], number: int, rng: np.random.Generator) -> Walk:
    """Return walk ``number`` of a room; walks differ in radius, height and viewing direction."""
    shift = rng.uniform(-0.15, 0.15, 2)
    centre = (float(size_3[0] / 2 + shift[0]), float(size_3[1] / 2 + shift[1]), 1.35 + 0.15 * (number % 3))
    share = (0.17, 0.23, 0.20, 0.14)[number % 4] * rng.uniform(0.95, 1.05)
    wobble = tuple(float(value) for value in rng.uniform(0, 2 * math.pi, 4))
    radius = (float(size_3[0]) * share, float(size_3[1]) * share)
    return Walk(centre, radius, (0.0, 0.25, -0.25, 0.4)[number % 4], wobble)  # type: ignore[arg-type]


def make_floor_plan(rng: np.random.Generator) -> tuple[NDArray[np.float64], tuple[Walk, ...]]:
    """Return the size (m) of a room without a texture library, and the walks through the room."""
    size_3 = rng.uniform([5.0, 4.5, 2.5], [6.5, 6.0, 2.9])
    return size_3, tuple(make_walk(size_3, number, rng) for number in range(WALKS))


def path_of(walks: tuple[Walk, ...]) -> NDArray[np.float64]:
    """Return points along walks (P, 3), close enough to measure distances from a walk."""
    return np.array([walk.position(phase) for walk in walks for phase in np.linspace(0, 1, 60)])
