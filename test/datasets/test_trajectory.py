import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsm_ros.datasets.trajectory import StampedPoses, nearest_stamp
from dsm_ros.geometry.pose import make_pose

POSES = StampedPoses(np.array([0, 50_000_000, 900_000_000]), [make_pose(np.eye(3), [x, 0, 0]) for x in (0.0, 1.0, 2.0)])


def test_poses_along_time():
    assert POSES.at(25_000_000)[0, 3] == pytest.approx(0.5)
    assert POSES.at(50_000_000)[0, 3] == 1.0
    assert POSES.at(500_000_000) is None
    assert POSES.at(-1) is None
    assert POSES.at(900_000_001) is None


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=20), st.integers(0, 1000), st.integers(0, 100))
def test_nearest_stamp_is_the_nearest(stamps, stamp, gap):
    stamps = np.array(sorted(stamps))
    found = nearest_stamp(stamps, stamp, gap)
    distance = np.abs(stamps - stamp).min()
    assert (found is None) == (distance > gap)
    assert found is None or abs(stamps[found] - stamp) == distance
