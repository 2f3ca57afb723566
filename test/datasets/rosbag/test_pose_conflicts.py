"""Transforms that are contradictory, of another robot, or in unsuitable frames cause errors or warnings."""

import numpy as np
import pytest
from robot_bag import BASE_T_CAMERA, OPTICAL, Robot, S, T, header, pose_msg, stamp, tf, without
from robot_poses import ROBOT, camera_tf, missing, opened, pictures, worst_error_m

from dsm_ros.errors import SequenceError
from dsm_ros.geometry.pose import make_pose


def test_two_parents_of_one_frame_are_refused_unless_one_leads_to_the_world(tmp_path):
    combined = [(ns, "/tf", tf(ns, "odom_combined", "base_link", np.eye(4))) for ns in map(stamp, (0, 1))]
    odom_only = [*pictures(), *ROBOT.odometry_tf(), *ROBOT.static_tf(), *combined]
    poses = opened(tmp_path / "a", odom_only).poses
    assert "'base_link' has two parents, 'odom' and 'odom_combined'" in poses
    assert opened(tmp_path / "b", odom_only, world_frame="odom").poses.world == "odom"
    assert worst_error_m(opened(tmp_path / "c", [*odom_only, *ROBOT.map_tf()])) < 0.02


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("later_s", [0.0, 0.01])
def test_two_sources_of_one_link_that_disagree_are_refused(tmp_path, later_s, turned):
    ten_degrees = [[0.985, -0.174, 0], [0.174, 0.985, 0], [0, 0, 1]]
    aside = make_pose(ten_degrees, [0, 0, 0]) if turned else make_pose(np.eye(3), [0.5, 0, 0])
    other = [
        (stamp(s + later_s), "/tf", tf(stamp(s + later_s), "odom", "base_link", aside @ ROBOT.odom_T_base(s)))
        for s in ROBOT.seconds(ROBOT.odom_hz)
    ]
    poses = opened(tmp_path, [*without(ROBOT.everything(), "/odom"), *other]).poses
    assert "odom -> base_link comes from two sources that disagree" in poses


def test_another_robots_transforms_are_not_read(tmp_path):
    aside = make_pose(np.eye(3), [5, 0, 0])
    others = [(ns, f"/robot_2{topic}", message) for ns, topic, message in ROBOT.odometry_tf()]
    for _, _, message in others:
        message.transforms[0].transform.translation.x += aside[0, 3]
    assert worst_error_m(opened(tmp_path, [*ROBOT.everything(), *others])) < 0.02


@pytest.mark.parametrize("is_image_in_namespace", [True, False])
def test_a_namespaced_robot_has_its_own_tf(tmp_path, is_image_in_namespace):
    messages = [
        (ns, topic if "camera" in topic and not is_image_in_namespace else f"/robot_1{topic}", message)
        for ns, topic, message in ROBOT.everything()
    ]
    assert worst_error_m(opened(tmp_path, messages)) < 0.02


def test_a_localizer_that_is_noisy_now_and_then_is_one_source(tmp_path):
    robot = Robot(images=6, map_odom_hz=20.0)
    noisy = robot.map_tf()
    for place in range(5, len(noisy), 8):
        noisy[place][2].transforms[0].transform.translation.x += 0.06
    messages = [*pictures(robot), *robot.odometry_tf(), *robot.static_tf(), *noisy]
    assert worst_error_m(opened(tmp_path, messages), robot) < 0.1


def own_answers():
    poses = [(stamp(s), ROBOT.map_T_camera(s)) for s in ROBOT.image_seconds()]
    covariances = [(ns, T["geometry_msgs/msg/PoseWithCovariance"](pose_msg(pose), np.zeros(36))) for ns, pose in poses]
    kind = T["geometry_msgs/msg/PoseWithCovarianceStamped"]
    return [(ns, "/relocalizer/pose", kind(header(ns, "map"), pose)) for ns, pose in covariances]


def test_what_a_relocalizer_said_is_no_ground_truth(tmp_path):
    messages = [*pictures(), *camera_tf(), *own_answers()]
    assert isinstance(opened(tmp_path / "a", messages).poses, str)
    with pytest.raises(SequenceError, match="published by a relocalizer"):
        assert opened(tmp_path / "b", messages, pose="/relocalizer/pose").poses
    assert opened(tmp_path / "c", [*ROBOT.everything(), *own_answers()]).poses.world == "odom"


def test_a_recording_that_began_again_is_refused(tmp_path):
    again = [(ns + 10 * S, topic, message) for ns, topic, message in ROBOT.everything()]
    with pytest.raises(SequenceError, match=r"jump back by 1\.0 s|jump back"):
        opened(tmp_path, [*Robot(images=12).everything(), *again])


def test_a_static_and_a_moving_version_of_one_link_are_refused_unless_they_agree(tmp_path):
    fixed = stamp(-0.1), "/tf_static", tf(stamp(-0.1), "map", "odom", np.eye(4))
    drifting = Robot(images=6, drift_m_per_s=0.5)
    poses = opened(tmp_path / "a", [*drifting.everything(), fixed]).poses
    assert poses == "map -> odom comes from two sources that disagree; --world-frame odom avoids the disputed link"
    assert opened(tmp_path / "b", [*drifting.everything(), fixed], world_frame="odom").poses.world == "odom"
    exact = Robot(images=6, drift_m_per_s=0.0)
    assert worst_error_m(opened(tmp_path / "c", [*exact.everything(), fixed]), exact) < 1e-6


def test_a_static_link_told_twice_must_be_the_same(tmp_path):
    moved = make_pose(BASE_T_CAMERA[:3, :3], [0.5, 0, 0.3])
    other = stamp(0), "/tf_static", tf(stamp(0), "base_link", OPTICAL, moved)
    poses = opened(tmp_path / "a", [*without(ROBOT.everything(), "/odom"), other]).poses
    assert "base_link -> camera_color_optical_frame comes from two sources" in poses
    again = stamp(0), "/tf_static", tf(stamp(0), "base_link", OPTICAL, BASE_T_CAMERA)
    assert worst_error_m(opened(tmp_path / "b", [*ROBOT.everything(), again])) < 0.02


def test_frames_on_the_shorter_side_of_a_loop_closure_are_left_out(tmp_path):
    robot = Robot(images=12, drift_m_per_s=0.0)
    closed = robot.map_tf()
    for ns, _, message in closed:
        message.transforms[0].transform.translation.x += 1.5 * (ns > stamp(1.0))
    messages = [*pictures(robot), *robot.odometry_tf(), *robot.static_tf(), *closed]
    sequence = opened(tmp_path / "a", messages)
    (warning,) = sequence.describe().warnings
    assert warning.startswith("map -> odom jumps by 1.50 m and 0 degrees at 1700000001.0")
    kept = [len(lack) == 0 for lack in missing(sequence)]
    assert kept == [False] * 6 + [True] * 6  # the part after the loop closure is longer
    assert opened(tmp_path / "b", robot.everything()).describe().warnings == ()


def test_a_world_that_places_few_images_is_warned_of(tmp_path):
    once = ROBOT.map_tf()[:1]
    messages = [*pictures(), *ROBOT.odometry_tf(), *ROBOT.static_tf(), *once]
    (warning,) = opened(tmp_path, messages).describe().warnings
    assert warning == "only 1 of 6 images have a pose in 'map'; more images may have a pose with --world-frame odom"


def test_clocks_that_differ_are_warned_of(tmp_path):
    late = [(ns + S // 5 * ("camera" in topic), topic, message) for ns, topic, message in ROBOT.everything()]
    (warning,) = opened(tmp_path, late).describe().warnings
    assert warning.startswith("images were recorded 0.20 s after their timestamps, transforms 0.00 s")


def test_another_robots_odometry_is_not_read(tmp_path):
    images = [(ns, f"/robot_2{topic}", message) for ns, topic, message in [*pictures(), *ROBOT.static_tf()]]
    other = [(ns, f"/robot_1{topic}", message) for ns, topic, message in ROBOT.odometry_topic()]
    own = [(ns, f"/robot_2{topic}", message) for ns, topic, message in ROBOT.odometry_topic()]
    assert isinstance(opened(tmp_path / "a", [*images, *other]).poses, str)
    assert opened(tmp_path / "b", [*images, *other, *own]).poses.source == "/robot_2/odom"


def test_frames_that_can_be_no_world_are_not_offered_and_parents_in_dispute_are(tmp_path):
    combined = [(ns, "/tf", tf(ns, "odom_combined", "base_link", np.eye(4))) for ns in map(stamp, (0, 1))]
    sequence = opened(tmp_path, [*pictures(), *ROBOT.odometry_tf(), *ROBOT.static_tf(), *combined])
    poses_part = sequence.describe().parts[3]
    assert "--world-frame odom" in poses_part.change
    assert "odom_combined" in poses_part.change
    assert "base_link" not in poses_part.change
