"""Bags of a complete robot: poses are correct within 10 cm, and depth is registered to the image."""

import random

import numpy as np
import pytest
from robot_bag import OPTICAL, Robot, write

from dsm_ros.datasets.rosbag.sequence import RosbagSequence
from dsm_ros.datasets.source_options import SourceOptions
from dsm_ros.geometry.pose import pose_error

ROBOT = Robot()


def opened(tmp_path, messages, **options):
    return RosbagSequence(write(tmp_path / "bag", messages), SourceOptions(**options))


def pose_errors(sequence, robot):
    """Return (frames with a pose, largest error in m, in degrees)."""
    headers = [sequence.header(i) for i in range(len(sequence))]
    errors = [pose_error(h.map_T_camera, robot.truth(h.stamp_ns)) for h in headers if h.map_T_camera is not None]
    return len(errors), *np.max(errors, axis=0)


def depth_errors(sequence, robot):
    """Return the share of pixels with depth, and the share of the depths within 2 cm, over all frames."""
    known, right = [], []
    for i in range(len(sequence)):
        frame = sequence[i]
        assert frame.depth_HW is not None, frame.missing
        true_HW = robot.seen((frame.stamp_ns - 1_700_000_000_000_000_000) / 1e9)[1] / 1000
        known.append((frame.depth_HW > 0).mean())
        right.append((np.abs(frame.depth_HW - true_HW) < 0.02)[frame.depth_HW > 0].mean())
    return np.mean(known), np.mean(right)


@pytest.mark.parametrize("drift", [0.0, 0.05, 0.1])
@pytest.mark.parametrize("map_odom_hz", [20.0, 5.0, 1.0])
def test_map_to_odom_holds_at_any_rate(tmp_path, map_odom_hz, drift):
    robot = Robot(map_odom_hz=map_odom_hz, drift_m_per_s=drift)
    sequence = opened(tmp_path, robot.everything())
    assert (sequence.poses.source, sequence.poses.world) == ("/tf", "map")
    count, metres, degrees = pose_errors(sequence, robot)
    assert count >= 10
    assert metres < 0.08  # map -> odom holds for 0.25 s after its last message, while odometry drifts
    assert degrees < 2.5


def test_images_before_map_to_odom_are_left_out_and_never_put_in_odom(tmp_path):
    robot = Robot(images=25, late_s=3.0, map_odom_hz=5.0)
    sequence = opened(tmp_path, robot.everything())
    count, metres, _ = pose_errors(sequence, robot)
    assert 8 <= count <= 11
    assert metres < 0.02
    assert sequence.header(0).missing == ("no pose: the image was taken before the first map -> odom",)


def test_without_a_localizer_the_drifting_odometry_is_taken_and_said(tmp_path):
    robot = Robot(map_odom_hz=0)
    sequence = opened(tmp_path, robot.everything())
    assert sequence.poses.world == "odom"
    assert "drifts" in sequence.describe().warnings[0]
    first = sequence.header(0)
    assert pose_error(first.map_T_camera, robot.truth(first.stamp_ns))[0] < 0.02  # odom begins at map


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("with_aligned", [True, False])
def test_depth_is_aligned_or_registered_whatever_the_order_of_topics(tmp_path, with_aligned, seed):
    robot = Robot(images=4)
    messages = [*robot.everything(), *robot.unaligned_depth()]
    if not with_aligned:
        messages = [m for m in messages if "aligned_depth" not in m[1]]
    random.Random(seed).shuffle(messages)
    sequence = opened(tmp_path, messages)
    known, right = depth_errors(sequence, robot)
    assert known > 0.95
    assert right > (0.999 if with_aligned else 0.95)


def test_unaligned_depth_that_nothing_places_is_refused(tmp_path):
    robot = Robot(images=3)
    without_tf = [m for m in robot.everything() if "aligned" not in m[1] and m[1] != "/tf_static"]
    camera_only = [*robot.static_tf()[:1], *robot.unaligned_depth()]
    assert "record the transform between them" in opened(tmp_path / "a", [*without_tf, *camera_only]).depth
    no_info = [m for m in robot.unaligned_depth() if "camera_info" not in m[1]]
    assert "record its camera_info" in opened(tmp_path / "b", [*without_tf, *robot.static_tf(), *no_info]).depth


def test_an_odometry_topic_serves_where_tf_has_no_odometry(tmp_path):
    robot = Robot(drift_m_per_s=0.1)
    sequence = opened(tmp_path, [*robot.colour(), *robot.odometry_topic(), *robot.map_tf(), *robot.static_tf()])
    assert (sequence.poses.source, sequence.poses.world) == ("/odom", "map")
    assert pose_errors(sequence, robot)[1] < 0.02


def test_odometry_of_a_body_that_no_transform_links_to_the_camera_is_refused(tmp_path):
    robot = Robot(images=3)
    sequence = opened(tmp_path, [*robot.colour(), *robot.odometry_topic(), *robot.map_tf()])
    assert isinstance(sequence.poses, str)
    assert "'base_link', which no transform links" in sequence.poses
    assert OPTICAL in sequence.poses
    assert "record /tf_static" in sequence.poses
