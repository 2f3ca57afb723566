import threading
import time
import weakref
from types import SimpleNamespace

import pytest

from dsm_ros.node.images.image_groups import ImageGroup, ImageGroups
from dsm_ros.node.interface.conversions import stamp_msg

SLOP_S = 0.05


class Image(SimpleNamespace):
    """A message that can be weakly referenced."""


def image(stamp_ms):
    return Image(header=SimpleNamespace(stamp=stamp_msg(stamp_ms * 1_000_000)))


def test_a_single_camera_has_a_group_for_each_image_and_never_waits():
    groups = ImageGroups([""], slop_s=10.0)
    for stamp_ms in (0, 0, 1):
        message = image(stamp_ms)
        start_s = time.monotonic()
        assert groups.take("", message).close() == {"": message}
        assert time.monotonic() - start_s < 1.0


def test_images_of_one_moment_are_one_group_in_the_cameras_order():
    groups = ImageGroups(["front", "right"], SLOP_S)
    front, right = image(1020), image(1000)
    group = groups.take("right", right)
    assert groups.take("front", front) is None
    assert list(group.close().items()) == [("front", front), ("right", right)]
    assert groups.take("front", image(1030)) is not group


def test_images_too_far_apart_and_second_ones_of_a_camera_begin_a_group():
    groups = ImageGroups(["front", "right"], SLOP_S)
    first = groups.take("front", image(1000))
    assert groups.take("right", image(1060)) is not None
    assert list(first.close()) == ["front"]
    assert groups.take("right", image(1070)) is not None


def test_a_late_image_is_waited_for():
    groups = ImageGroups(["front", "right"], slop_s=10.0)
    group = groups.take("front", image(1000))
    late = threading.Timer(0.05, lambda: groups.take("right", image(1000)))
    late.start()
    start_s = time.monotonic()
    assert list(group.close()) == ["front", "right"]
    assert time.monotonic() - start_s < 5.0
    late.join()


def test_an_image_that_never_comes_is_waited_for_no_longer_than_the_slop():
    groups = ImageGroups(["front", "right"], SLOP_S)
    group = groups.take("front", image(1000))
    assert list(group.close()) == ["front"]
    assert SLOP_S <= time.monotonic() - group.received_s < 20 * SLOP_S
    assert groups.take("right", image(1000)) is None  # too late: its moment has been localized


def test_a_late_image_joins_its_moment_not_the_newest_group():
    groups = ImageGroups(["front", "left"], slop_s=1.0)
    first, second = groups.take("front", image(1000)), groups.take("front", image(1033))
    late, newest = image(1000), image(1033)
    assert groups.take("left", late) is None
    assert groups.take("left", newest) is None
    assert (first.close()["left"], second.close()["left"]) == (late, newest)


def test_a_camera_that_is_always_one_image_late_is_grouped_by_timestamp():
    groups = ImageGroups(["front", "left"], slop_s=1.0)
    begun = [groups.take("front", image(1000))]
    for stamp_ms in range(1033, 4000, 33):
        begun.append(groups.take("front", image(stamp_ms)))
        assert groups.take("left", image(stamp_ms - 33)) is None
        front, left = begun[-2].close().values()
        assert front.header.stamp == left.header.stamp


@pytest.mark.parametrize("end", [ImageGroup.close, ImageGroup.discard])
def test_an_image_that_is_too_late_for_its_group_joins_no_other_group(end):
    groups = ImageGroups(["front", "left"], SLOP_S)
    end(groups.take("front", image(1000)))
    second = groups.take("front", image(1033))
    assert groups.take("left", image(1000)) is None
    assert list(second.close()) == ["front"]


def test_an_image_near_a_closed_group_begins_a_group_if_it_is_the_newest():
    groups = ImageGroups(["front", "left"], SLOP_S)
    groups.take("front", image(1000)).close()
    newer = groups.take("left", image(1040))
    assert groups.take("front", image(1040)) is None
    assert list(newer.close()) == ["front", "left"]


@pytest.mark.parametrize("names", [("front", "left"), ("left", "front")])
def test_images_without_timestamp_are_never_too_late(names):
    groups = ImageGroups(names, slop_s=0.0)
    groups.take("front", image(0)).close()
    whole = groups.take(names[0], image(0))
    assert groups.take(names[1], image(0)) is None
    assert len(whole.close()) == 2


def test_images_begin_groups_after_the_clock_was_set_back():
    groups = ImageGroups(["front", "left"], slop_s=1.0)
    groups.take("front", image(9000))
    first = groups.take("front", image(1000))
    assert groups.take("left", image(1000)) is None
    assert len(first.close()) == 2


def test_groups_that_were_used_or_discarded_keep_no_images():
    groups = ImageGroups(["front", "left"], slop_s=0.0)
    messages = [image(1000), image(2000)]
    gone = [weakref.ref(message) for message in messages]
    groups.take("front", messages.pop()).close()
    groups.take("front", messages.pop()).discard()
    assert [message() for message in gone] == [None, None]
