"""Keyframes of the first match, a few and then all N, and keyframes that show what a camera sees."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import make_pose
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.matching import SearchArea, cover_view, search_areas
from dsm_ros.network.features import ImageFeatures, KeyframeFeatures

CONFIG = replace(LocalizerConfig(), keyframes=6, first_keyframes=3, near_keyframes=2)
QUERY = ImageFeatures((), None, Camera(4, 4, 1, 1, 1, 1))
ANYWHERE = np.eye(4)
CAMERA = Camera(width_px=64, height_px=48, fx=40.0, fy=40.0, cx=31.5, cy=23.5)
ALIKE = SearchArea((0, 1, 2, 3, 4, 5))


@dataclass(frozen=True)
class RankedMap:
    """A map that ranks its keyframes the same way for every image and pose."""

    alike: tuple[int, ...]
    near: tuple[int, ...]

    def retrieve(self, descriptor_D, count):
        return list(self.alike[:count])

    def nearest(self, map_T_camera, count):
        return list(self.near[:count])


@pytest.mark.parametrize(
    ("prior", "after_rejected", "wanted"),
    [
        (None, False, [SearchArea((0, 1, 2)), ALIKE]),
        (None, True, [ALIKE]),
        (ANYWHERE, False, [SearchArea((7, 0, 1), ANYWHERE), SearchArea((7, 0, 1)), ALIKE]),
        (ANYWHERE, True, [SearchArea((7, 0, 1), ANYWHERE), ALIKE]),
    ],
)
def test_the_expected_surroundings_come_first_then_few_keyframes_then_all_that_look_alike(
    prior, after_rejected, wanted
):
    ranked = RankedMap(alike=tuple(range(8)), near=(7, 0, 3))
    assert search_areas(ranked, QUERY, prior, after_rejected, CONFIG) == wanted


@pytest.mark.parametrize("prior", [None, ANYWHERE])
@pytest.mark.parametrize("count", [0, 1, 2])
def test_nothing_is_matched_twice_where_the_few_are_all(prior, count):
    ids = tuple(range(count))
    areas = search_areas(RankedMap(ids, ids[::-1]), QUERY, prior, False, CONFIG)
    wanted = [SearchArea(ids)] if prior is None else [SearchArea(ids[::-1], prior), SearchArea(ids[::-1])]
    assert areas == wanted


def test_never_more_than_n():
    one = replace(CONFIG, keyframes=1)
    for prior in (None, ANYWHERE):
        areas = search_areas(RankedMap((0, 1), (1, 0)), QUERY, prior, False, one)
        assert all(len(area.keyframe_ids) == 1 for area in areas)


def keyframe(x_m=0.0, depth_m=2.0):
    """A camera that looks at a wall, ``x_m`` to the right of the origin."""
    image = ImageFeatures((torch.zeros(4, 6, 8),), torch.zeros(4), CAMERA)
    return KeyframeFeatures(image, (torch.full((6, 8), depth_m),), make_pose(np.eye(3), [x_m, 0.0, 0.0]))


def positions(keyframes):
    return [frame.map_T_camera[0, 3] for frame in keyframes]


def test_what_the_first_ones_do_not_show_comes_before_more_of_the_same():
    same, also_same, right = keyframe(0.1), keyframe(0.2), keyframe(2.0)
    chosen = cover_view([keyframe(0.0), same, also_same, right], 1, 2, CAMERA, make_pose(np.eye(3), [0.8, 0.0, 0.0]))
    assert positions(chosen) == [0.0, 2.0]


def test_the_first_ones_are_kept_whatever_they_add():
    chosen = cover_view([keyframe(0.0), keyframe(0.0), keyframe(2.0)], 2, 2, CAMERA, np.eye(4))
    assert positions(chosen) == [0.0, 0.0]


def test_a_keyframe_elsewhere_is_left_out():
    assert positions(cover_view([keyframe(100.0), keyframe(0.5)], 1, 5, CAMERA, np.eye(4))) == [0.5]


def test_a_wall_behind_another_adds_nothing():
    wall, hidden = keyframe(0.0), keyframe(0.0, depth_m=4.0)
    chosen = cover_view([wall, hidden], 0, 2, CAMERA, np.eye(4))
    assert len(chosen) == 1
    assert chosen[0] is wall


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=6), st.integers(0, 3), st.integers(0, 8))
def test_no_more_than_asked_and_none_twice(xs_m, first, count):
    chosen = cover_view([keyframe(x_m) for x_m in xs_m], first, max(first, count), CAMERA, np.eye(4))
    assert len(chosen) <= max(first, count)
    assert len({id(frame) for frame in chosen}) == len(chosen)
