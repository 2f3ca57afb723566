import threading
import time
from types import SimpleNamespace

from dsm_ros.node.images.image_groups import ImageGroups
from dsm_ros.node.interface.conversions import stamp_msg

SLOP_S = 0.05


def image(stamp_ms):
    return SimpleNamespace(header=SimpleNamespace(stamp=stamp_msg(stamp_ms * 1_000_000)))


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
    assert groups.take("right", image(1000)) is not None  # too late for the closed one
