"""Random camera poses in a room."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from dsm_ros.datasets.rooms.box import free_distance_m
from dsm_ros.datasets.rooms.scene import Room
from dsm_ros.datasets.rooms.walk import look_rotation
from dsm_ros.geometry.pose import Pose44, make_pose

FREE_M = 0.5
LOWEST_RAD, HIGHEST_RAD = math.radians(-30), math.radians(20)
AIM_HEIGHT_M = 1.9
TRIES = 60


def random_view(room: Room, rng: np.random.Generator) -> Pose44:
    """Return map_T_camera (optical frame) at least FREE_M from all surfaces, pitched up by -30..20 degrees.

    The camera is aimed at a random point that is not too near, so that walls seldom fill the image.
    """
    position_3 = _free_position(room, rng)
    aim_3 = _aim(room, rng) - position_3
    while np.hypot(aim_3[0], aim_3[1]) < min(1.2, room.size_3[:2].min() / 3):
        aim_3 = _aim(room, rng) - position_3
    pitch = float(np.clip(math.atan2(aim_3[2], math.hypot(aim_3[0], aim_3[1])), LOWEST_RAD, HIGHEST_RAD))
    roll = float(np.clip(rng.normal(0, 0.05), -0.15, 0.15))
    return make_pose(look_rotation(math.atan2(aim_3[1], aim_3[0]), pitch, roll), position_3)


def _aim(room: Room, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a random point of the room below AIM_HEIGHT_M, because there are fewer objects above."""
    return rng.uniform(0, 1, 3) * (*room.size_3[:2], AIM_HEIGHT_M)


def _free_position(room: Room, rng: np.random.Generator) -> NDArray[np.float64]:
    """Return a random free position 0.5 to 2 m above the floor, or a position on a walk if the room is too full."""
    low_3, high_3 = np.full(3, FREE_M), room.size_3 - FREE_M
    high_3[2] = min(high_3[2], 2.0)
    for _ in range(TRIES):
        position_3 = rng.uniform(low_3, high_3)
        if free_distance_m(room.boxes[1:], position_3) >= FREE_M:
            return position_3
    return room.walks[int(rng.integers(len(room.walks)))].position(float(rng.random()))
