"""Selection of keyframes by motion, and parsing of its options."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsm_ros.datasets.frame import FrameHeader
from dsm_ros.errors import SequenceError
from dsm_ros.geometry.pose import make_pose, pose_error
from dsm_ros.scene_map.keyframe_spacing import (
    DEFAULT_SPACING,
    Spacing,
    choose_spacing,
    parse_spacing,
    select_by_motion,
    select_keyframes,
)


class Headers:
    """A sequence that has only headers."""

    name = "headers"

    def __init__(self, poses, missing=()):
        self.poses, self.missing = poses, dict(missing)

    def header(self, index):
        return FrameHeader(str(index), index, self.poses[index], self.missing.get(index, ()))


def turned(x_m, degrees):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return make_pose([[c, 0, s], [0, 1, 0], [-s, 0, c]], [x_m, 0, 0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.3m/15deg", (0.3, 15)),
        (" 0.3 m / 15 deg ", (0.3, 15)),
        ("15deg/.3m", (0.3, 15)),
        ("2m", (2, math.inf)),
        ("7.5deg", (math.inf, 7.5)),
    ],
)
def test_a_spacing_is_parsed(text, expected):
    assert parse_spacing(text) == Spacing(*expected)


@pytest.mark.parametrize("text", ["", "0.3", "m", "0m", "0m/15deg", "-1m", "1m/2m", "1m/", "1cm", "nanm", "15deg 0.3m"])
def test_what_is_no_spacing_is_refused_in_one_line(text):
    with pytest.raises(SequenceError, match=r"try 0\.3m/15deg") as told:
        parse_spacing(text)
    assert "\n" not in str(told.value)


def test_frames_that_moved_or_turned_are_taken():
    poses = [turned(x, a) for x, a in [(0, 0), (0.2, 0), (0.31, 0), (0.31, 14), (0.31, 16), (0.5, 16), (0.62, 16)]]
    assert select_by_motion(Headers(poses), range(7), Spacing(0.3, 15)).indices == (0, 2, 4, 6)


def test_a_parked_robot_gives_one_keyframe():
    assert select_by_motion(Headers([turned(1, 2)] * 500), range(500), DEFAULT_SPACING).indices == (0,)


def test_frames_that_lack_something_are_left_out_and_counted():
    missing = {0: ("no depth",), 2: ("no depth", "lost pose")}
    selection = select_by_motion(Headers([turned(i, 0) for i in range(4)], missing), range(4), Spacing(0.5))
    assert selection.indices == (1, 3)
    assert selection.left_out == {"no depth": 2, "lost pose": 1}


def test_when_all_lack_something_the_commonest_reasons_are_told():
    missing = dict.fromkeys(range(3), ("no depth image within 20 ms",)) | {3: ("the pose is lost (NaN)",)}
    with pytest.raises(SequenceError) as told:
        select_by_motion(Headers([None] * 4, missing), range(4), DEFAULT_SPACING)
    why = "3 no depth image within 20 ms; 1 the pose is lost (NaN)"
    assert str(told.value) == f"headers: 4 of 4 frames cannot be used: {why}; a map needs image, depth and pose"


def test_chosen_frames_are_taken_as_they_are():
    still = Headers([turned(0, 0)] * 10)
    assert select_keyframes(still, range(0, 10, 3), None).indices == (0, 3, 6, 9)
    assert select_keyframes(still, range(0, 10, 3), Spacing(1)).indices == (0,)


def test_frames_alone_disable_the_default_spacing():
    assert choose_spacing(None, "::3") is None
    assert choose_spacing("1m", "::3") == choose_spacing("1m", None) == Spacing(1)
    assert choose_spacing(None, None) == DEFAULT_SPACING


@given(st.lists(st.tuples(st.floats(-3, 3), st.floats(-180, 180)), min_size=1, max_size=40))
def test_keyframes_are_apart_and_what_lies_between_is_near_the_one_before(path):
    poses = [turned(x, a) for x, a in path]
    taken = select_by_motion(Headers(poses), range(len(poses)), Spacing(0.5, 20)).indices
    last = taken[0]
    assert last == 0
    for index in range(1, len(poses)):
        distance_m, angle_deg = pose_error(poses[index], poses[last])
        assert (distance_m >= 0.5 or angle_deg >= 20) == (index in taken)
        last = index if index in taken else last
