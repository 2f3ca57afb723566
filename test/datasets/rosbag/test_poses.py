"""Poses are the camera's, in one world frame, or they are left out with the reason."""

import numpy as np
import pytest
from robot_bag import (
    BASE_T_CAMERA,
    OPTICAL,
    Robot,
    S,
    T,
    header,
    odometry,
    pose_msg,
    pose_stamped,
    stamp,
    tf,
    without,
    write,
)

from dsm_ros.datasets.rosbag.sequence import RosbagSequence
from dsm_ros.datasets.source_options import SourceOptions
from dsm_ros.errors import SequenceError
from dsm_ros.geometry.pose import invert, make_pose, pose_error

ROBOT = Robot(images=6)


def opened(tmp_path, messages, **options):
    return RosbagSequence(write(tmp_path / "bag", messages), SourceOptions(**options))


def worst_error_m(sequence, robot=ROBOT):
    """Return the largest error of the poses, m; every frame must have one."""
    headers = [sequence.header(i) for i in range(len(sequence))]
    assert all(h.map_T_camera is not None for h in headers), headers[0].lacks
    return max(pose_error(h.map_T_camera, robot.truth(h.stamp_ns))[0] for h in headers)


def lacks(sequence):
    return [sequence.header(i).lacks for i in range(len(sequence))]


def map_T_base(second):
    return ROBOT.map_T_camera(second) @ invert(BASE_T_CAMERA)


def camera_tf(frame="map", child=OPTICAL, robot=ROBOT):
    return [(stamp(s), "/tf", tf(stamp(s), frame, child, robot.map_T_camera(s))) for s in robot.image_seconds()]


def pictures(robot=ROBOT):
    return [*robot.colour(), *robot.aligned_depth()]


def stamped(topic, pose_of, frame="map"):
    return [(stamp(s), topic, pose_stamped(stamp(s), frame, pose_of(s))) for s in ROBOT.image_seconds()]


@pytest.mark.parametrize("world", ["map", "/map", "robot_1/map", "world", "vicon/World"])
def test_tf_places_the_camera_in_map_or_world(tmp_path, world):
    sequence = opened(tmp_path, [*pictures(), *camera_tf(world)])
    assert sequence.poses.world == world.lstrip("/")
    assert worst_error_m(sequence) < 1e-6


def test_a_frame_of_another_name_is_a_world_only_where_it_is_named(tmp_path):
    messages = [*pictures(), *camera_tf("camera_init")]
    assert "frames for --world-frame: 'camera_init'" in opened(tmp_path / "a", messages).poses
    assert worst_error_m(opened(tmp_path / "b", messages, world_frame="camera_init")) < 1e-6


def test_map_goes_before_odom_and_odom_where_it_is_named(tmp_path):
    assert opened(tmp_path / "a", ROBOT.everything()).poses.world == "map"
    assert opened(tmp_path / "b", ROBOT.everything(), world_frame="odom").poses.world == "odom"
    with pytest.raises(SequenceError, match="attic"):
        raise SequenceError(opened(tmp_path / "c", ROBOT.everything(), world_frame="attic").poses)


def test_poses_of_the_base_are_never_taken_for_the_cameras(tmp_path):
    messages = [*pictures(), *stamped("/amcl_pose", map_T_base)]
    assert "does not say whose pose it is" in opened(tmp_path / "a", messages).poses
    with_tf = [*messages, *ROBOT.odometry_tf(), *ROBOT.map_tf(), *ROBOT.static_tf()]
    assert worst_error_m(opened(tmp_path / "b", with_tf)) < 0.02
    with pytest.raises(SequenceError, match="turned by 120 degrees against /tf"):
        assert opened(tmp_path / "c", with_tf, pose="/amcl_pose").poses
    assert worst_error_m(opened(tmp_path / "d", with_tf, pose="/amcl_pose:base_link")) < 1e-6


def test_a_pose_of_the_camera_is_read_where_it_is_named(tmp_path):
    messages = [*pictures(), *stamped("/pose", ROBOT.map_T_camera)]
    assert "if the camera's, use --pose /pose" in opened(tmp_path / "a", messages).poses
    assert worst_error_m(opened(tmp_path / "b", messages, pose="/pose")) < 1e-6


def test_an_odometry_in_map_goes_before_tf_in_odom(tmp_path):
    slam = [
        (stamp(s), "/slam/odometry", odometry(stamp(s), "map", "base_link", map_T_base(s)))
        for s in ROBOT.image_seconds()
    ]
    sequence = opened(tmp_path, [*without(ROBOT.everything(), "/odom"), *slam], world_frame=None)
    assert sequence.poses.source == "/tf"
    no_localizer = [*pictures(), *ROBOT.odometry_tf(), *ROBOT.static_tf(), *slam]
    sequence = opened(tmp_path / "b", no_localizer)
    assert (sequence.poses.source, sequence.poses.world) == ("/slam/odometry", "map")
    assert worst_error_m(sequence) < 1e-6


BROKEN = {
    "NaN position": (np.nan, 1.0),
    "infinite position": (np.inf, 1.0),
    "quaternion of zeros": (0.0, 0.0),
    "NaN quaternion": (0.0, np.nan),
    "quaternion far from 1": (0.0, 5.0),
}


def break_pose(position, orientation, kind):
    x, scale = kind
    position.x += x
    for axis in "xyzw":
        setattr(orientation, axis, getattr(orientation, axis) * scale)


@pytest.mark.parametrize("kind", BROKEN.values(), ids=BROKEN.keys())
@pytest.mark.parametrize("layout", ["tf", "odometry", "pose"])
def test_lost_poses_are_left_out_and_counted(tmp_path, layout, kind):
    if layout == "tf":
        messages = camera_tf()
        transform = messages[2][2].transforms[0].transform
        break_pose(transform.translation, transform.rotation, kind)
    elif layout == "odometry":
        poses = [(stamp(s), ROBOT.map_T_camera(s)) for s in ROBOT.image_seconds()]
        messages = [(ns, "/odom", odometry(ns, "odom", OPTICAL, pose)) for ns, pose in poses]
        break_pose(messages[2][2].pose.pose.position, messages[2][2].pose.pose.orientation, kind)
    else:
        messages = stamped("/pose", ROBOT.map_T_camera)
        break_pose(messages[2][2].pose.position, messages[2][2].pose.orientation, kind)
    sequence = opened(tmp_path, [*pictures(), *messages], pose="/pose" if layout == "pose" else None)
    found = lacks(sequence)
    assert [bool(lack) for lack in found] == [False, False, True, False, False, False]
    assert found[2][0].endswith("was lost")


def test_images_are_never_interpolated_over_a_gap_in_which_the_camera_moved(tmp_path):
    robot = Robot(images=20, period_s=0.1)
    messages = [m for m in camera_tf(robot=robot) if not stamp(0.45) < m[0] < stamp(0.95)]
    found = lacks(opened(tmp_path, [*robot.colour(), *messages]))
    assert ["gap of map" in lack[-1] for lack in found] == [0.45 < 0.1 * i < 0.95 for i in range(20)]


def test_a_camera_that_stands_still_is_placed_through_a_short_gap(tmp_path):
    still = [(ns, "/tf", tf(ns, "map", OPTICAL, ROBOT.map_T_camera(0))) for ns in (stamp(0), stamp(0.9))]
    found = lacks(opened(tmp_path, [*ROBOT.colour(), *still]))
    assert [len(lack) for lack in found] == [1, 1, 1, 1, 1, 2]  # depth is missing everywhere, the last pose too


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


def test_a_transform_topic_tells_whose_pose_it_is(tmp_path):
    transforms = [(ns, "/vicon/camera", message.transforms[0]) for ns, _, message in camera_tf("world")]
    sequence = opened(tmp_path, [*pictures(), *transforms])
    assert (sequence.poses.source, sequence.poses.world) == ("/vicon/camera", "world")
    assert worst_error_m(sequence) < 1e-6


@pytest.mark.parametrize("frame", ["", "elsewhere"])
def test_images_whose_frame_is_not_in_tf_say_which_frames_are(tmp_path, frame):
    messages = [*ROBOT.colour(frame=frame), *camera_tf(child="cam")]
    poses = opened(tmp_path, messages).poses
    assert f"the images' frame '{frame}' is not in TF, which holds: cam, map" in poses


def test_transforms_of_another_time_say_by_how_much_they_miss(tmp_path):
    early = [(stamp(s - 60), "/tf", tf(stamp(s - 60), "map", OPTICAL, np.eye(4))) for s in ROBOT.image_seconds()]
    poses = opened(tmp_path, [*pictures(), *early]).poses
    assert poses.startswith("map -> camera_color_optical_frame ends 59.")
    assert poses.endswith("s before the images")


def own_answers():
    poses = [(stamp(s), ROBOT.map_T_camera(s)) for s in ROBOT.image_seconds()]
    covariances = [(ns, T["geometry_msgs/msg/PoseWithCovariance"](pose_msg(pose), np.zeros(36))) for ns, pose in poses]
    kind = T["geometry_msgs/msg/PoseWithCovarianceStamped"]
    return [(ns, "/relocalizer/pose", kind(header(ns, "map"), pose)) for ns, pose in covariances]


def test_what_a_relocalizer_said_is_no_ground_truth(tmp_path):
    messages = [*pictures(), *camera_tf(), *own_answers()]
    assert isinstance(opened(tmp_path / "a", messages).poses, str)
    with pytest.raises(SequenceError, match="own answers"):
        assert opened(tmp_path / "b", messages, pose="/relocalizer/pose").poses
    assert opened(tmp_path / "c", [*ROBOT.everything(), *own_answers()]).poses.world == "odom"


def test_a_recording_that_began_again_is_refused(tmp_path):
    again = [(ns + 10 * S, topic, message) for ns, topic, message in ROBOT.everything()]
    with pytest.raises(SequenceError, match=r"jump back by 1\.0 s|jump back"):
        opened(tmp_path, [*Robot(images=12).everything(), *again])


def test_images_without_stamps_have_no_poses(tmp_path):
    messages = ROBOT.everything()
    for _, topic, message in messages:
        if topic == "/camera/color/image_raw":
            message.header.stamp.sec = message.header.stamp.nanosec = 0
    assert "has no stamps" in opened(tmp_path, messages).poses


def test_simulated_time_reads_every_image_once(tmp_path):
    robot = Robot(images=9, period_s=0.033)
    held = [(stamp(0.1 * ((ns - stamp(0)) // (S // 10))), topic, message) for ns, topic, message in robot.everything()]
    sequence = opened(tmp_path, held)
    assert len(sequence) == 9
    for i in range(9):
        frame = sequence[i]
        assert (frame.image_HW3 == robot.seen(i * 0.033)[0]).all()
        assert frame.depth_HW == pytest.approx(robot.seen(i * 0.033)[1] / 1000)
    assert worst_error_m(sequence, robot) < 0.02
