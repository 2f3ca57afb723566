"""Transforms that the broadcaster sends on /tf, over real DDS, with a context for each side."""

import threading
import time

import cv2
import numpy as np
import pytest
from tf_peers import TIMEOUT_S, Ours, Robot, eventually

from dsm_ros.geometry.pose import make_pose
from dsm_ros.messages.pose import stamp_ns_of, transform_from_msg
from dsm_ros.node.interface.node_scope import NodeScope
from dsm_ros.node.parameters.node_parameters import NodeParameters
from dsm_ros.node.tf.map_broadcaster import Jump, MapBroadcaster

S = 1_000_000_000
ODOMETRY = {"odom_frame": "odom", "timeout_s": 0.2}


def at(x, y=0.0, turn_deg=0.0):
    return make_pose(cv2.Rodrigues(np.radians([0.0, 0.0, turn_deg]))[0], [x, y, 0])


@pytest.fixture
def robot():
    robot = Robot()
    yield robot
    robot.stop()


@pytest.fixture
def ours(robot):
    made = []

    def make(settings):
        made.append(Ours(settings))
        made[-1].meet(robot)
        return made[-1]

    yield make
    for one in made:
        one.stop()


def drive(robot, ours):
    """Odometry from 100 s to 102 s along x at 1 m/s; the camera half a metre ahead of the base."""
    robot.say("base", "camera", None, at(0.5))
    robot.say("odom", "base", 100 * S, at(1))
    robot.say("odom", "base", 102 * S, at(3))
    ours.hears("odom", "camera", 102 * S)


def test_map_to_odom_is_worked_out_at_the_images_own_stamp(robot, ours):
    ours = ours(ODOMETRY)
    drive(robot, ours)
    assert ours.send(at(10, 5, turn_deg=90), 101 * S) is None
    eventually(lambda: robot.heard)
    # the camera is at x = 2.5 in odom; a quarter turn carries that to y = 2.5, from where 5 is 2.5 away
    assert robot.poses_of("odom")[0] == pytest.approx(at(10, 2.5, turn_deg=90), abs=1e-9)
    assert {t.child_frame_id for t, _ in robot.heard} == {"odom"}


def test_it_is_silent_before_the_first_fix_then_20_times_a_second_stamped_ahead(robot, ours):
    ours = ours({**ODOMETRY, "tolerance_s": 0.5})
    drive(robot, ours)
    time.sleep(0.2)
    assert robot.heard == []
    assert ours.send(at(1), 101 * S) is None
    eventually(lambda: len(robot.heard) >= 11)
    stamps_ns = np.array([stamp_ns_of(t.header.stamp) for t, _ in robot.heard])
    ahead_s = (stamps_ns - [heard_ns for _, heard_ns in robot.heard]) / S
    assert np.median(np.diff(stamps_ns)) / S == pytest.approx(0.05, abs=0.01)
    assert 0.4 < np.median(ahead_s) <= 0.5
    assert ours.transforms.other_parent("odom") is None  # it knows its own voice


def test_without_odometry_at_the_images_time_the_reason_comes_after_the_timeout(robot, ours):
    ours = ours(ODOMETRY)
    started_s = time.monotonic()
    problem = ours.send(at(1), 101 * S)
    assert 0.2 <= time.monotonic() - started_s < 2
    missing = "map -> odom is not sent: the transform from camera to odom is missing: "  # the rest is the buffer's
    assert problem.startswith(missing)
    drive(robot, ours)
    assert ours.send(at(1), 102 * S + S // 10).startswith(missing)
    time.sleep(0.1)
    assert robot.heard == []


def test_odometry_that_comes_late_is_waited_for(robot, ours):
    ours = ours({**ODOMETRY, "timeout_s": TIMEOUT_S})
    drive(robot, ours)
    timer = threading.Timer(0.1, robot.say, ("odom", "base", 104 * S, at(5)))
    timer.start()
    started_s = time.monotonic()
    assert ours.send(at(10), 103 * S) is None
    assert 0.05 < time.monotonic() - started_s < TIMEOUT_S / 2
    eventually(lambda: robot.heard)
    assert robot.poses_of("odom")[0] == pytest.approx(at(5.5), abs=1e-9)
    timer.join()


def test_the_jump_is_how_far_a_fix_moves_the_camera(robot, ours):
    ours = ours(ODOMETRY)
    drive(robot, ours)
    assert ours.send(at(10), 101 * S) is None
    assert ours.broadcaster.jump is None
    assert ours.send(at(11.3, 0.4), 102 * S) is None  # odometry moved it by 1 m
    assert ours.broadcaster.jump == Jump(pytest.approx(0.5), pytest.approx(0.0, abs=1e-6))
    assert ours.send(at(11.3, 0.4, turn_deg=30), 102 * S) is None
    assert ours.broadcaster.jump == Jump(pytest.approx(0.0, abs=1e-9), pytest.approx(30.0))


def test_with_the_filter_a_pose_moves_map_to_odom_by_its_weight(robot, ours):
    ours = ours({**ODOMETRY, "odom_noise": 0.02})
    drive(robot, ours)
    assert ours.send(at(2.5), 101 * S) is None
    assert ours.send(at(2.6), 101 * S) is None
    assert ours.broadcaster.jump == Jump(pytest.approx(0.05), pytest.approx(0.0))
    eventually(lambda: robot.heard and robot.poses_of("odom")[-1][0, 3] == pytest.approx(0.05))


def test_in_the_plane_map_to_odom_is_level_whatever_the_odometry_says(robot, ours):
    ours = ours({**ODOMETRY, "in_plane": True})
    tilted = make_pose(cv2.Rodrigues(np.array([0.1, 0.05, 0.0]))[0], [1.0, 0.0, 0.3])
    for second in (100, 102):
        robot.say("odom", "camera", second * S, tilted)
    ours.hears("odom", "camera", 102 * S)
    assert ours.send(at(2), 101 * S) is None
    eventually(lambda: robot.heard)
    assert robot.poses_of("odom")[0][2] == pytest.approx([0, 0, 1, 0], abs=1e-9)


def test_another_source_of_map_to_odom_is_named_and_not_fought(robot, ours):
    ours = ours(ODOMETRY)
    drive(robot, ours)
    assert ours.send(at(1), 101 * S) is None
    eventually(lambda: robot.heard)
    robot.say("map", "odom", 101 * S, at(7))
    eventually(lambda: "/robot" in (ours.transforms.other_parent("odom") or ""))  # names come last in discovery
    problem = ours.send(at(1), 101 * S)
    assert problem == (
        "map -> odom is not sent: odom already has the parent map on /tf (from /robot); stop one of the two"
    )
    time.sleep(0.1)
    robot.heard.clear()
    time.sleep(0.2)
    assert robot.heard == []


@pytest.mark.parametrize(
    ("settings", "parent"),
    [({"base_frame": "base"}, "odom on /tf (from /robot)"), ({}, "base on /tf_static (from /robot)")],
)
def test_a_base_or_camera_that_has_a_parent_is_not_given_a_second_one(robot, ours, settings, parent):
    ours = ours(settings)
    drive(robot, ours)
    child = settings.get("base_frame", "camera")
    eventually(lambda: "/robot" in (ours.transforms.other_parent(child) or ""))
    problem = ours.send(at(1), 101 * S)
    assert f"already has the parent {parent}; set odom_frame" in problem
    time.sleep(0.1)
    assert robot.heard == []


def test_without_odometry_the_base_is_placed_once_with_the_images_stamp(robot, ours):
    ours = ours({"base_frame": "base"})
    robot.say("base", "camera", None, at(0.5))
    ours.hears("base", "camera", 0)
    assert ours.send(at(10, turn_deg=90), 101 * S) is None
    eventually(lambda: robot.heard)
    time.sleep(0.15)
    ((transform, _),) = robot.heard
    assert (transform.child_frame_id, stamp_ns_of(transform.header.stamp)) == ("base", 101 * S)
    assert transform_from_msg(transform) == pytest.approx(at(10, -0.5, turn_deg=90))


def test_without_a_base_the_camera_is_placed_and_its_frame_must_have_a_name(robot, ours):
    ours = ours({})
    assert ours.send(at(10), 101 * S) is None
    eventually(lambda: robot.heard)
    assert robot.poses_of("camera")[0] == pytest.approx(at(10))
    assert "frame_id" in ours.send(at(10), 102 * S, camera="")
    assert "cannot be a child" in ours.send(at(10), 102 * S, camera="map")


def test_forget_silences(robot, ours):
    ours = ours(ODOMETRY)
    drive(robot, ours)
    assert ours.send(at(1), 101 * S) is None
    ours.broadcaster.forget()
    time.sleep(0.1)
    robot.heard.clear()  # one may have been on its way
    time.sleep(0.15)
    assert robot.heard == []


def test_closing_the_scope_undoes_everything(robot, ours):
    ours = ours(ODOMETRY)

    def held():
        return [len(list(group)) for group in (ours.node.publishers, ours.node.subscriptions, ours.node.timers)]

    before = held()
    scope = NodeScope(ours.node)
    MapBroadcaster(scope, ours.transforms, NodeParameters(odom_frame="odom").broadcast_settings())
    assert held() == [before[0] + 1, before[1], before[2] + 1]
    scope.close()
    assert held() == before
