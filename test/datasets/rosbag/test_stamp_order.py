import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsm_ros.datasets.rosbag.bag import Entry
from dsm_ros.datasets.rosbag.stamp_order import StampOrder
from dsm_ros.errors import SequenceError

S = 1_000_000_000
TODAY_S = 1_700_000_000


def entries(*seconds):
    return [Entry(int(second * S), (TODAY_S + i) * S, 0) for i, second in enumerate(seconds)]


def seconds_of(order):
    return [entry.stamp_ns / S for entry in order.entries]


def test_images_out_of_order_are_put_in_order_and_repeated_stamps_left_out():
    order = StampOrder.of(entries(10.0, 10.4, 10.2, 10.2), "/image")
    assert seconds_of(order) == [10.0, 10.2, 10.4]
    assert (order.repeated, order.unstamped, order.has_stamps) == (1, 0, True)


def test_without_any_stamp_the_time_of_recording_gives_the_order():
    order = StampOrder.of(entries(0, 0, 0), "/image")
    assert seconds_of(order) == [TODAY_S, TODAY_S + 1, TODAY_S + 2]
    assert not order.has_stamps


def test_simulated_time_may_begin_at_0():
    assert seconds_of(StampOrder.of(entries(0, 0.1, 0.2), "/image")) == [0, 0.1, 0.2]


def test_of_images_of_today_those_without_stamp_are_left_out():
    order = StampOrder.of(entries(TODAY_S, 0, TODAY_S + 1), "/image")
    assert seconds_of(order) == [TODAY_S, TODAY_S + 1]
    assert order.unstamped == 1


def test_stamps_that_jump_back_are_refused():
    with pytest.raises(SequenceError, match=r"/image jump back by 3\.0 s at message 2"):
        StampOrder.of(entries(10, 12, 9), "/image")


@given(st.lists(st.floats(0, 0.9), min_size=1, max_size=20))
def test_no_stamp_is_lost_or_made_up(offsets):
    order = StampOrder.of(entries(*(TODAY_S + offset for offset in offsets)), "/image")
    assert seconds_of(order) == sorted({int((TODAY_S + offset) * S) / S for offset in offsets})
