"""Repeated images of a stuck sensor are left out; a recording with few other images is refused."""

from dataclasses import replace

import map_helpers as helpers
import numpy as np
import pytest

from dsm_ros.datasets.rooms.sequence import open_rooms
from dsm_ros.errors import SequenceError
from dsm_ros.geometry.pose import make_pose
from dsm_ros.scene_map.stuck_sensor import STUCK_DEPTH, STUCK_IMAGE, StuckSensor


@pytest.fixture(scope="module")
def frames():
    room = open_rooms(helpers.ROOM)
    return [room[i] for i in range(0, 60, 5)]


def moved(frame, x_m, degrees=0.0):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    step_44 = make_pose([[c, -s, 0], [s, c, 0], [0, 0, 1]], [x_m, 0, 0])
    return replace(frame, map_T_camera=frame.map_T_camera @ step_44)


@pytest.mark.parametrize(("x_m", "degrees", "stuck"), [(0.04, 0, False), (0.06, 0, True), (0, 2, False), (0, 4, True)])
def test_the_same_images_from_elsewhere_are_stuck(frames, x_m, degrees, stuck):
    sensor = StuckSensor()
    assert sensor.stale_parts(frames[0]) == ()
    assert sensor.stale_parts(moved(frames[0], x_m, degrees)) == ((STUCK_DEPTH, STUCK_IMAGE) if stuck else ())


def test_a_camera_that_creeps_away_is_compared_with_where_the_image_was_first_seen(frames):
    sensor = StuckSensor()
    missing = [sensor.stale_parts(moved(frames[0], 0.02 * step)) for step in range(5)]
    assert [bool(lack) for lack in missing] == [False, False, False, True, True]


def test_a_constant_part_is_no_sign(frames):
    wall = replace(frames[0], depth_HW=np.where(frames[0].depth_HW > 2, np.float32(2), np.float32(0)))
    wall = replace(wall, image_HW3=np.full_like(wall.image_HW3, 255))
    sensor = StuckSensor()
    assert sensor.stale_parts(wall) == sensor.stale_parts(moved(wall, 1)) == ()


@pytest.mark.parametrize(("part", "told"), [("depth_HW", STUCK_DEPTH), ("image_HW3", STUCK_IMAGE)])
def test_what_a_stuck_sensor_repeats_is_left_out_of_a_map(tmp_path, frames, part, told):
    stuck = [replace(f, **{part: getattr(frames[3], part)}) if 3 < i < 6 else f for i, f in enumerate(frames)]
    report = helpers.build(helpers.Listed(stuck), tmp_path / "m", range(12))
    assert report.added == 10
    assert report.left_out == {told: 2}


def test_a_recording_of_a_sensor_that_never_runs_is_refused(tmp_path, frames):
    stuck = [replace(frame, image_HW3=frames[0].image_HW3) for frame in frames]
    with pytest.raises(SequenceError, match=f"listed: 11 frames: {STUCK_IMAGE}; check that the camera works"):
        helpers.build(helpers.Listed(stuck), tmp_path / "m", range(12))
    assert not (tmp_path / "m").exists()
