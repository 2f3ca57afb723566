"""A few keyframes are matched first, and then all N, unless the few were all."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from dsm_ros.geometry.camera import Camera
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.keyframe_choice import keyframes_to_match
from dsm_ros.network.features import ImageFeatures

CONFIG = replace(LocalizerConfig(), keyframes=6, first_keyframes=3, near_keyframes=2)
QUERY = ImageFeatures((), None, Camera(4, 4, 1, 1, 1, 1))
ANYWHERE = np.eye(4)


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
    ("near", "wanted"),
    [
        (None, [[0, 1, 2], [0, 1, 2, 3, 4, 5]]),
        (ANYWHERE, [[7, 0, 1], [0, 1, 2, 3, 4, 5]]),
    ],
)
def test_few_come_before_all_that_look_alike(near, wanted):
    ranked = RankedMap(alike=tuple(range(8)), near=(7, 0, 3))
    assert keyframes_to_match(ranked, QUERY, near, CONFIG) == wanted


@pytest.mark.parametrize("near", [None, ANYWHERE])
@pytest.mark.parametrize("count", [0, 1, 2])
def test_nothing_is_matched_twice_where_the_few_are_all(near, count):
    ids = tuple(range(count))
    assert keyframes_to_match(RankedMap(ids, ids[::-1]), QUERY, near, CONFIG) == [
        list(ids if near is None else ids[::-1])
    ]


def test_never_more_than_n():
    one = replace(CONFIG, keyframes=1)
    for near in (None, ANYWHERE):
        assert all(len(ids) == 1 for ids in keyframes_to_match(RankedMap((0, 1), (1, 0)), QUERY, near, one))
