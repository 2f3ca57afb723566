"""What may be wrong with poses, depth or camera of a recording, and how neighbours would fit if it were."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from dsm_ros.geometry.pose import Pose44, invert, make_pose
from dsm_ros.scene_map.overlap import View

BASE_R_OPTICAL = np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]], dtype=np.float64)  # REP-103
AXES = {
    "they are of a frame that looks along x, such as the base, not of the optical one (z forward)": BASE_R_OPTICAL,
    "they were turned from the base's axes to the optical ones twice": BASE_R_OPTICAL.T,
    "their camera looks along -z with y up, as in OpenGL": np.diag([1.0, -1.0, -1.0]),
}
MIRRORS = {"x": np.diag([-1.0, 1.0, 1.0]), "y": np.diag([1.0, -1.0, 1.0]), "z": np.diag([1.0, 1.0, -1.0])}
LENGTHS = (1000.0, 100.0, 10.0, 5.0, 2.0, 0.5, 0.2, 0.1, 0.01, 0.001)
FOCALS = (2.0, 0.5)


@dataclass(frozen=True)
class Cause:
    """A thing that may be wrong: what to tell, and other_T_one and the focal factor if it is mended.

    weight: of its fit against that of other causes.
    """

    text: str
    mended: Callable[[View, View], Pose44]
    focal_factor: float = 1.0
    weight: float = 1.0


def causes() -> Iterator[Cause]:
    """Yield what is tried, the most usual first."""
    yield Cause("the poses are inverted: give map_T_camera, the camera's pose in the map", _inverted)
    for text, rotation_33 in AXES.items():
        yield Cause(f"the poses' axes are wrong: {text}", partial(_turned, rotation_33=rotation_33))
    for factor in LENGTHS:
        told = f"depth and positions are in different units: they fit with positions times {factor:g}"
        yield Cause(f"{told} or depth times {1 / factor:g}", partial(_scaled, factor=factor))
    for factor in FOCALS:
        told = f"the camera's K is of another image size: focal lengths fit times {factor:g}"
        yield Cause(told, _told, factor)
    for axis, mirror_33 in MIRRORS.items():
        told = f"the poses are mirrored along {axis}, as of a left-handed frame"
        yield Cause(told, partial(_mirrored, mirror_33=mirror_33))
    # Slow cameras hardly move, whatever is wrong with their poses: staying must fit better than the rest.
    yield Cause("images stay the same while poses move: stamps are of other images or clocks", _unmoved, weight=0.9)


def _told(one: View, other: View) -> Pose44:
    return invert(other.map_T_camera) @ one.map_T_camera


def _inverted(one: View, other: View) -> Pose44:
    return other.map_T_camera @ invert(one.map_T_camera)


def _turned(one: View, other: View, rotation_33: np.ndarray) -> Pose44:
    turn = make_pose(rotation_33, [0, 0, 0])
    return invert(turn) @ _told(one, other) @ turn


def _scaled(one: View, other: View, factor: float) -> Pose44:
    told = _told(one, other)
    return make_pose(told[:3, :3], told[:3, 3] * factor)


def _mirrored(one: View, other: View, mirror_33: np.ndarray) -> Pose44:
    told = _told(one, other)
    return make_pose(mirror_33 @ told[:3, :3] @ mirror_33, mirror_33 @ told[:3, 3])


def _unmoved(one: View, other: View) -> Pose44:
    return np.eye(4)
