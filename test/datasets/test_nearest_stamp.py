import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from dsm_ros.datasets.nearest_stamp import nearest_stamp


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=20), st.integers(0, 1000), st.integers(0, 100))
def test_nearest_stamp_is_the_nearest(stamps, stamp, gap):
    stamps = np.array(sorted(stamps))
    found = nearest_stamp(stamps, stamp, gap)
    distance = np.abs(stamps - stamp).min()
    assert (found is None) == (distance > gap)
    assert found is None or abs(stamps[found] - stamp) == distance


def test_nothing_is_near_in_an_empty_list():
    assert nearest_stamp(np.array([], np.int64), 5, 100) is None
