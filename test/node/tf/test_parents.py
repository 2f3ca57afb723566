import numpy as np
import pytest
from std_msgs.msg import Header

from dsm_ros.node.interface.conversions import stamp_msg, transform_to_msg
from dsm_ros.node.tf import parents as module
from dsm_ros.node.tf.parents import Parents


def transform(parent, child, x=0.0, stamp_ns=0):
    pose = np.eye(4)
    pose[0, 3] = x
    return transform_to_msg(pose, Header(stamp=stamp_msg(stamp_ns), frame_id=parent), child)


class Clock:
    now_s = 1000.0

    def __call__(self):
        return self.now_s

    def advance(self, passed_s):
        self.now_s += passed_s


@pytest.fixture
def clock():
    return Clock()


def test_what_others_say_counts_and_what_this_node_said_does_not(clock):
    parents = Parents(clock)
    parents.announce(transform("map", "odom", 1.0, 5))
    parents.add(transform("map", "odom", 1.0, 5), static=False)
    assert parents.other("odom") is None
    parents.add(transform("map", "odom", 1.1, 5), static=False)  # same stamp, another value
    assert parents.other("odom").parent == "map"


def test_a_dynamic_parent_is_forgotten_after_ten_seconds_and_a_static_one_never(clock):
    parents = Parents(clock)
    parents.add(transform("odom", "base"), static=False)
    parents.add(transform("/base", "/camera"), static=True)
    clock.advance(9.9)
    assert parents.other("base").parent == "odom"
    clock.advance(0.2)
    assert parents.other("base") is None
    assert parents.other("camera").parent == "base"


def test_clear_keeps_static_parents(clock):
    parents = Parents(clock)
    parents.add(transform("odom", "base"), static=False)
    parents.add(transform("base", "camera"), static=True)
    parents.clear()
    assert (parents.other("base"), parents.other("camera").parent) == (None, "base")


def test_announcements_do_not_pile_up(clock, monkeypatch):
    monkeypatch.setattr(module, "OWN_KEPT", 3)
    parents = Parents(clock)
    for stamp_ns in range(5):
        parents.announce(transform("map", "odom", stamp_ns=stamp_ns))
    parents.add(transform("map", "odom", stamp_ns=2), static=False)
    assert parents.other("odom") is None
    parents.add(transform("map", "odom", stamp_ns=1), static=False)
    assert parents.other("odom") is not None
