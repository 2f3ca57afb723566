"""Likely causes of contradictions in a recording; each cause gives the relative pose of two views without the cause."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from dsm_ros.geometry.pose import Pose44, invert, make_pose
from dsm_ros.scene_map.overlap import RgbdView, relative_pose

BASE_R_OPTICAL = np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]], dtype=np.float64)  # axes of REP 103
AXES = {
    "their frame looks along x, as base_link does; use the optical frame (z forward)": BASE_R_OPTICAL,
    "the rotation from base to optical axes was applied twice; apply the rotation once": BASE_R_OPTICAL.T,
    "their frame looks along -z with y up, as in OpenGL; use the optical frame": np.diag([1.0, -1.0, -1.0]),
}
MIRRORS = {"x": np.diag([-1.0, 1.0, 1.0]), "y": np.diag([1.0, -1.0, 1.0]), "z": np.diag([1.0, 1.0, -1.0])}
LENGTHS = (1000.0, 100.0, 10.0, 5.0, 2.0, 0.5, 0.2, 0.1, 0.01, 0.001)
FOCALS = (2.0, 0.5)


@dataclass(frozen=True)
class Cause:
    """A likely cause of a contradiction among keyframes.

    text: the message for the user. corrected: returns other_T_one (4x4) of two views after the correction.
    focal_factor: factor of the focal lengths after the correction. weight: factor of its score.
    """

    text: str
    corrected: Callable[[RgbdView, RgbdView], Pose44]
    focal_factor: float = 1.0
    weight: float = 1.0


def likely_causes() -> Iterator[Cause]:
    """Yield all known causes, the most frequent first."""
    yield Cause("the poses are inverted; give map_T_camera, the camera's pose in the map", _inverted)
    for text, rotation_33 in AXES.items():
        yield Cause(f"the poses have wrong axes: {text}", partial(_turned, rotation_33=rotation_33))
    for factor in LENGTHS:
        units = f"multiply positions by {factor:g} or depth by {1 / factor:g}"
        yield Cause(f"depth and positions are in different units; {units}", partial(_scaled, factor=factor))
    for factor in FOCALS:
        text = f"the camera's K is for another image size; focal lengths would fit when multiplied by {factor:g}"
        yield Cause(text, relative_pose, factor)
    for axis, mirror_33 in MIRRORS.items():
        text = f"the poses are mirrored along {axis}, as in a left-handed frame; convert the poses"
        yield Cause(text, partial(_mirrored, mirror_33=mirror_33))
    # For a slow camera, "no motion" always fits well, so this cause must fit better than all other causes.
    text = "images stay the same while poses move, so the timestamps do not match; check the clocks and the topics"
    yield Cause(text, _unmoved, weight=0.9)


def _inverted(one: RgbdView, other: RgbdView) -> Pose44:
    return other.map_T_camera @ invert(one.map_T_camera)


def _turned(one: RgbdView, other: RgbdView, rotation_33: np.ndarray) -> Pose44:
    turn = make_pose(rotation_33, [0, 0, 0])
    return invert(turn) @ relative_pose(one, other) @ turn


def _scaled(one: RgbdView, other: RgbdView, factor: float) -> Pose44:
    other_T_one = relative_pose(one, other)
    return make_pose(other_T_one[:3, :3], other_T_one[:3, 3] * factor)


def _mirrored(one: RgbdView, other: RgbdView, mirror_33: np.ndarray) -> Pose44:
    other_T_one = relative_pose(one, other)
    return make_pose(mirror_33 @ other_T_one[:3, :3] @ mirror_33, mirror_33 @ other_T_one[:3, 3])


def _unmoved(one: RgbdView, other: RgbdView) -> Pose44:
    return np.eye(4)
