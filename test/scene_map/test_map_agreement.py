"""Appending to a map: recordings in the map's frame are accepted, others are refused."""

from dataclasses import replace
from functools import cache

import map_helpers as helpers
import numpy as np
import pytest

from dsm_ros.datasets.open_sequence import open_sequence
from dsm_ros.errors import SequenceError
from dsm_ros.geometry.pose import invert, make_pose
from dsm_ros.scene_map.statistics import map_statistics

SIZE = "size=96x64,frames=100"


@cache
def room(seed, walk=0):
    return open_sequence(f"rooms:{seed}/{SIZE},walk={walk}")


def moved(sequence, indices, step_44):
    frames = [sequence[i] for i in indices]
    return helpers.Listed([replace(frame, map_T_camera=step_44 @ frame.map_T_camera) for frame in frames])


@pytest.mark.parametrize("seed", [7, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2, 3, 4))])
def test_another_walk_through_the_same_room_fits(tmp_path, seed):
    helpers.build(room(seed), tmp_path / "m", range(0, 100, 4))
    assert helpers.build(room(seed, 1), tmp_path / "m", range(0, 100, 4), append=True).added == 25


def test_the_same_recording_fits_twice_and_in_other_light(tmp_path):
    frames = [room(7)[i] for i in range(0, 100, 8)]
    dark = [replace(frame, image_HW3=255 - frame.image_HW3) for frame in frames]
    for listed, append in ((frames, False), (frames, True), (dark, True)):
        helpers.build(helpers.Listed(listed), tmp_path / "m", range(13), append)
    assert map_statistics(str(tmp_path / "m"))["keyframes"] == 39


def test_the_kitchen_fits(tmp_path, kitchen):
    helpers.build(kitchen, tmp_path / "m", range(0, 220, 10))
    assert helpers.build(kitchen, tmp_path / "m", range(280, 500, 10), append=True).added == 22


@pytest.mark.parametrize("seed", [9, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (2, 3, 4))])
def test_another_room_does_not_fit(tmp_path, seed):
    helpers.build(room(7), tmp_path / "m", range(0, 100, 4))
    with pytest.raises(SequenceError, match=r"does not fit the map, because .* show other surfaces") as told:
        helpers.build(room(seed, 1), tmp_path / "m", range(0, 100, 4), append=True)
    assert "\n" not in str(told.value)
    assert map_statistics(str(tmp_path / "m"))["keyframes"] == 25


def test_the_same_room_in_its_own_frame_does_not_fit(tmp_path, kitchen):
    helpers.build(kitchen, tmp_path / "m", range(0, 220, 10))
    own = moved(kitchen, range(280, 500, 10), invert(kitchen[280].map_T_camera))
    with pytest.raises(SequenceError, match="the poses are probably in another frame"):
        helpers.build(own, tmp_path / "m", range(22), append=True)


def test_a_recording_of_places_that_the_map_does_not_hold_is_added(tmp_path):
    helpers.build(room(7), tmp_path / "m", range(0, 100, 4))
    far = moved(room(9), range(0, 100, 4), make_pose(np.eye(3), [500, 0, 0]))
    assert helpers.build(far, tmp_path / "m", range(25), append=True).added == 25
