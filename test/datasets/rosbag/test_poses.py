"""All poses are camera poses in one world frame, or are left out with a reason."""

import numpy as np
import pytest
from robot_bag import BASE_T_CAMERA, OPTICAL, Robot, S, odometry, stamp, tf, without
from robot_poses import ROBOT, camera_tf, map_T_base, missing, opened, pictures, stamped, worst_error_m

from dsm_ros.errors import SequenceError
from dsm_ros.geometry.pose import invert


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
    assert "do not name the frame whose pose they contain" in opened(tmp_path / "a", messages).poses
    with_tf = [*messages, *ROBOT.odometry_tf(), *ROBOT.map_tf(), *ROBOT.static_tf()]
    assert worst_error_m(opened(tmp_path / "b", with_tf)) < 0.02
    with pytest.raises(SequenceError, match="rotated by 120 degrees against /tf"):
        assert opened(tmp_path / "c", with_tf, pose="/amcl_pose").poses
    assert worst_error_m(opened(tmp_path / "d", with_tf, pose="/amcl_pose:base_link")) < 1e-6


def test_a_pose_of_the_camera_is_read_where_it_is_named(tmp_path):
    messages = [*pictures(), *stamped("/pose", ROBOT.map_T_camera)]
    assert "use --pose /pose if its poses are the camera's" in opened(tmp_path / "a", messages).poses
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
    found = missing(sequence)
    assert [bool(lack) for lack in found] == [False, False, True, False, False, False]
    assert found[2][0].endswith("was lost or jumped")


def test_images_are_never_interpolated_over_a_gap_in_which_the_camera_moved(tmp_path):
    robot = Robot(images=20, period_s=0.1)
    messages = [m for m in camera_tf(robot=robot) if not stamp(0.45) < m[0] < stamp(0.95)]
    found = missing(opened(tmp_path, [*robot.colour(), *messages]))
    assert ["gap of map" in lack[-1] for lack in found] == [0.45 < 0.1 * i < 0.95 for i in range(20)]


def test_a_camera_that_stands_still_is_placed_through_a_short_gap(tmp_path):
    still = [(ns, "/tf", tf(ns, "map", OPTICAL, ROBOT.map_T_camera(0))) for ns in (stamp(0), stamp(0.9))]
    found = missing(opened(tmp_path, [*ROBOT.colour(), *still]))
    assert [len(lack) for lack in found] == [1, 1, 1, 1, 1, 2]  # depth is missing everywhere, the last pose too


def test_a_transform_topic_tells_whose_pose_it_is(tmp_path):
    transforms = [(ns, "/vicon/camera", message.transforms[0]) for ns, _, message in camera_tf("world")]
    sequence = opened(tmp_path, [*pictures(), *transforms])
    assert (sequence.poses.source, sequence.poses.world) == ("/vicon/camera", "world")
    assert worst_error_m(sequence) < 1e-6


@pytest.mark.parametrize("frame", ["", "elsewhere"])
def test_images_whose_frame_is_not_in_tf_say_which_frames_are(tmp_path, frame):
    messages = [*ROBOT.colour(frame=frame), *camera_tf(child="cam")]
    poses = opened(tmp_path, messages).poses
    assert f"the images' frame '{frame}' is not in TF, which contains: cam, map" in poses


def test_transforms_of_another_time_say_by_how_much_they_miss(tmp_path):
    early = [(stamp(s - 60), "/tf", tf(stamp(s - 60), "map", OPTICAL, np.eye(4))) for s in ROBOT.image_seconds()]
    poses = opened(tmp_path, [*pictures(), *early]).poses
    assert poses.startswith("map -> camera_color_optical_frame ends 59.")
    assert poses.endswith("s before the images")


def test_images_without_stamps_have_no_poses(tmp_path):
    messages = ROBOT.everything()
    for _, topic, message in messages:
        if topic == "/camera/color/image_raw":
            message.header.stamp.sec = message.header.stamp.nanosec = 0
    assert "have no timestamps" in opened(tmp_path, messages).poses


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


def test_a_jump_to_the_identity_says_that_tracking_was_lost(tmp_path):
    messages = camera_tf()
    lost = tf(messages[2][0], "map", OPTICAL, np.eye(4))
    messages[2] = (messages[2][0], "/tf", lost)
    found = missing(opened(tmp_path, [*pictures(), *messages]))
    assert [bool(lack) for lack in found] == [False, False, True, False, False, False]


def test_odometry_may_begin_at_the_identity(tmp_path):
    start = invert(ROBOT.map_T_camera(0))
    messages = [
        (stamp(s), "/tf", tf(stamp(s), "odom", OPTICAL, start @ ROBOT.map_T_camera(s))) for s in (0, 0.02, 0.04)
    ]
    messages[0] = (stamp(0), "/tf", tf(stamp(0), "odom", OPTICAL, np.eye(4)))
    assert opened(tmp_path, [*pictures(), *messages]).header(0).map_T_camera == pytest.approx(np.eye(4))


def test_a_static_transform_sent_seldom_on_tf_holds_between_its_messages(tmp_path):
    robot = Robot(images=30)
    seldom = [(ns, "/tf", robot.static_tf()[0][2]) for ns in map(stamp, (-0.1, 1.1, 2.3, 3.5, 4.7, 5.9))]
    sent = [(ns, topic, tf(ns, "base_link", OPTICAL, BASE_T_CAMERA)) for ns, topic, _ in seldom]
    messages = [*pictures(robot), *robot.odometry_tf(), *robot.map_tf(), *sent]
    assert worst_error_m(opened(tmp_path, messages), robot) < 0.02
