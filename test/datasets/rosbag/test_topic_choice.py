"""The topics of common drivers are found; depth and calibration of another camera are never used."""

import numpy as np
import pytest
from bag_parts import CAMERA, depth, info, opened, picture
from robot_bag import (
    DEPTH_CAMERA,
    DEPTH_OPTICAL,
    OPTICAL,
    START_NS,
    camera_info,
    compressed,
    image,
    tf,
)

from dsm_ros.errors import SequenceError
from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import make_pose

DRIVERS = {
    "RealSense": ("/camera/camera/color/image_raw", "/camera/camera/aligned_depth_to_color/image_raw"),
    "TurtleBot 3": ("/intel_realsense_r200_depth/image_raw", "/intel_realsense_r200_depth/depth/image_raw"),
    "OAK": ("/oak/rgb/image_raw", "/oak/stereo/image_raw"),
    "Kinect v2": ("/kinect2/qhd/image_color_rect", "/kinect2/qhd/image_depth_rect"),
    "Azure Kinect": ("/rgb/image_raw", "/depth_to_rgb/image_raw"),
    "ros_gz RGB-D": ("/rgbd_camera/image", "/rgbd_camera/depth_image"),
    "Gazebo": ("/depth_camera/image_raw", "/depth_camera/depth/image_raw"),
    "ZED": ("/zed/zed_node/rgb/image_rect_color", "/zed/zed_node/depth/depth_registered"),
    "ZED 5": ("/zed/zed_node/rgb/color/rect/image", "/zed/zed_node/depth/depth_registered"),
    "Astra": ("/camera/color/image_raw", "/camera/depth/image_raw"),
    "OpenNI": ("/camera/rgb/image_rect_color", "/camera/depth_registered/image_raw"),
    "one namespace": ("/robot_1/front/rgb", "/robot_1/front/depth"),
    "no namespace": ("/image", "/depth"),
}


def beside(topic):
    return f"{topic.rpartition('/')[0]}/camera_info"


@pytest.mark.parametrize(("colour", "depth_topic"), DRIVERS.values(), ids=DRIVERS.keys())
def test_topics_of_common_drivers_are_found(tmp_path, colour, depth_topic):
    sequence = opened(tmp_path, depth(depth_topic), picture(colour), info(beside(colour)))
    assert sequence.image.topic.name == colour
    assert sequence.depth.stream.topic.name == depth_topic
    assert sequence[0].depth_HW == pytest.approx(2.0)
    assert sequence[0].camera.fx == CAMERA.fx


def realsense_with_everything():
    """Messages that ``ros2 bag record -a`` records from a RealSense with infrared images and every transport."""
    root = "/camera/camera"
    depth_info = [info(f"{root}/{name}/camera_info", DEPTH_OPTICAL, DEPTH_CAMERA) for name in ("depth", "infra1")]
    png = compressed(START_NS, OPTICAL, "16UC1; compressedDepth", b"")
    jpeg = compressed(START_NS, OPTICAL, "rgb8; jpeg compressed bgr8", b"\xff\xd8")
    return [
        picture(f"{root}/infra1/image_rect_raw", DEPTH_OPTICAL, "mono8", DEPTH_CAMERA),
        depth(f"{root}/depth/image_rect_raw", DEPTH_OPTICAL, DEPTH_CAMERA, 3.0),
        (START_NS, f"{root}/aligned_depth_to_color/image_raw/compressedDepth", png),
        depth(f"{root}/aligned_depth_to_color/image_raw"),
        info(f"{root}/aligned_depth_to_color/camera_info"),
        (START_NS, f"{root}/color/image_raw/compressed", jpeg),
        picture(f"{root}/color/image_raw"),
        info(f"{root}/color/camera_info"),
        *depth_info,
    ]


def test_colour_goes_before_infrared_raw_before_compressed_and_aligned_depth_before_the_rest(tmp_path):
    messages = realsense_with_everything()
    for name, order in (("forward", messages), ("backward", messages[::-1])):
        sequence = opened(tmp_path / name, *order)
        assert sequence.image.topic.name == "/camera/camera/color/image_raw"
        assert sequence.depth.stream.topic.name == "/camera/camera/aligned_depth_to_color/image_raw"
        assert sequence[0].depth_HW == pytest.approx(2.0)


def test_infrared_of_16_bits_is_no_depth(tmp_path):
    for name, encoding in (("ir", "16UC1"), ("thermal", "mono16")):
        messages = picture("/cam/rgb/image_raw"), info("/cam/rgb/camera_info")
        sequence = opened(tmp_path / name, picture(f"/cam/{name}/image_raw", encoding=encoding), *messages)
        assert sequence.image.topic.name == "/cam/rgb/image_raw"
        assert "no depth topic was recorded" in sequence.depth


def two_cameras(frames, has_front_depth=True):
    messages = [depth("/rear/depth/image_raw", frames[1], metres=5.0), info("/rear/depth/camera_info", frames[1])]
    for side, frame in zip(("rear", "front"), frames[::-1], strict=True):
        messages += [picture(f"/{side}/rgb/image_raw", frame), info(f"/{side}/rgb/camera_info", frame)]
    return messages + ([depth("/front/depth/image_raw", frames[0])] if has_front_depth else [])


@pytest.mark.parametrize("frames", [("front", "rear"), ("camera", "camera"), ("", "")])
def test_depth_of_another_camera_is_never_read(tmp_path, frames):
    sequence = opened(tmp_path / "both", *two_cameras(frames), image="/front/rgb/image_raw")
    assert sequence[0].depth_HW == pytest.approx(2.0)
    sequence = opened(tmp_path / "one", *two_cameras(frames, has_front_depth=False), image="/front/rgb/image_raw")
    assert sequence.depth == "/rear/depth/image_raw belongs to another camera than /front/rgb/image_raw"
    assert sequence[0].depth_HW is None


def test_of_two_cameras_the_one_with_depth_is_read_and_the_other_named(tmp_path):
    sequence = opened(tmp_path, *two_cameras(("front", "rear"), has_front_depth=False))
    assert sequence.image.topic.name == "/rear/rgb/image_raw"
    assert sequence[0].depth_HW == pytest.approx(5.0)
    assert "read from /rear/rgb/image_raw, not /front/rgb/image_raw" in sequence.describe().warnings[0]


def test_cameras_without_namespaces_are_told_apart_by_their_frames(tmp_path):
    messages = [depth("/rear_depth", "rear"), info("/camera_info", "front")]
    messages += [picture("/front_image", "front"), picture("/rear_image", "rear")]
    sequence = opened(tmp_path, *messages, image="/front_image")
    assert "another camera" in sequence.depth


@pytest.mark.parametrize("frames", [("front", "rear"), ("camera", "camera")])
def test_cameras_in_one_namespace_are_told_apart_by_their_names(tmp_path, frames):
    messages = [depth("/robot/rear_depth", frames[1], metres=5.0), info("/robot/camera_info", "")]
    messages += [picture("/robot/front_rgb", frames[0]), picture("/robot/rear_rgb", frames[1])]
    front = opened(tmp_path / "front", *messages, image="/robot/front_rgb")
    assert "another camera" in front.depth
    assert opened(tmp_path / "rear", *messages).image.topic.name == "/robot/rear_rgb"


def test_depth_of_a_stereo_pair_is_registered_to_the_colour_camera_of_the_device(tmp_path):
    link = START_NS, "/tf_static", tf(START_NS, OPTICAL, "right", np.eye(4))
    messages = [picture("/oak/rgb/image_raw"), info("/oak/rgb/camera_info"), link]
    messages += [picture("/oak/right/image_raw", "right", "mono8"), info("/oak/right/camera_info", "right")]
    messages += [depth("/oak/stereo/image_raw", "right"), info("/oak/stereo/camera_info", "right")]
    sequence = opened(tmp_path, *messages)
    assert sequence.image.topic.name == "/oak/rgb/image_raw"
    assert sequence[0].depth_HW == pytest.approx(2.0)


@pytest.mark.parametrize("encoding", ["mono8", "bgr8"])
def test_a_picture_of_depth_is_no_depth(tmp_path, encoding):
    messages = picture("/cam/color/image_raw"), info("/cam/color/camera_info")
    sequence = opened(tmp_path, picture("/cam/depth/image_raw", encoding=encoding), *messages)
    assert sequence.image.topic.name == "/cam/color/image_raw"
    assert f"/cam/depth/image_raw: depth with encoding '{encoding}' cannot be read" in sequence.depth


def test_aligned_depth_of_another_size_is_scaled_and_of_another_shape_left_out(tmp_path):
    half = Camera(80, 60, 1, 1, 1, 1)
    messages = picture("/cam/color/image_raw"), info("/cam/color/camera_info")
    sequence = opened(tmp_path / "half", *messages, depth("/cam/depth/image_raw", camera=half))
    assert sequence[0].depth_HW.shape == (120, 160)
    sequence = opened(tmp_path / "wide", *messages, depth("/cam/depth/image_raw", camera=DEPTH_CAMERA))
    assert "its depth image has 212x120 pixels, another aspect ratio than 160x120" in sequence[0].missing[0]


def test_depth_of_the_images_frame_but_another_lens_is_registered(tmp_path):
    wide = Camera(160, 120, CAMERA.fx / 2, CAMERA.fy / 2, CAMERA.cx, CAMERA.cy)
    columns_HW = np.tile(2000 + 10 * np.arange(160, dtype=np.uint16), (120, 1))  # a slanted wall
    slanted = START_NS, "/cam/depth/image_raw", image(START_NS, OPTICAL, columns_HW, "16UC1")
    messages = (
        picture("/cam/color/image_raw"),
        info("/cam/color/camera_info"),
        info("/cam/depth/camera_info", camera=wide),
    )
    depth_HW = opened(tmp_path, *messages, slanted)[0].depth_HW
    seen_at = CAMERA.cx + (np.array([20, 140]) - CAMERA.cx) / 2  # twice the focal length halves the field of view
    assert depth_HW[60, [20, 140]] == pytest.approx(2 + 0.01 * seen_at, abs=0.02)
    assert (depth_HW > 0).mean() > 0.95


def test_aligned_depth_needs_no_calibration_of_its_own(tmp_path):
    empty = camera_info(START_NS, OPTICAL, CAMERA)
    empty.k[:] = 0
    messages = picture("/cam/color/image_raw"), info("/cam/color/camera_info"), depth("/cam/depth/image_raw")
    sequence = opened(tmp_path, *messages, (START_NS, "/cam/depth/camera_info", empty))
    assert sequence[0].depth_HW == pytest.approx(2.0)


@pytest.mark.parametrize("name", ["image", "depth", "camera_info", "pose"])
def test_a_topic_that_is_not_there_is_refused_with_those_that_are(tmp_path, name):
    option = f"--{name.replace('_', '-')}" if name != "camera_info" else "camera_info topic of bag"
    with pytest.raises(SequenceError, match=option):
        opened(tmp_path, *realsense_with_everything(), **{name: "/nowhere"}).describe()


def test_named_topics_are_read(tmp_path):
    messages = realsense_with_everything()
    wanted = "/camera/camera/depth/image_rect_raw"
    with pytest.raises(SequenceError, match="record the transform between them"):
        assert opened(tmp_path / "a", *messages, depth=wanted).depth
    link = START_NS, "/tf_static", tf(START_NS, OPTICAL, DEPTH_OPTICAL, np.eye(4))
    sequence = opened(tmp_path / "b", *messages, link, depth=wanted)
    assert np.median(sequence[0].depth_HW) == pytest.approx(3.0)


def test_depth_that_shares_a_camera_info_but_not_the_place_is_not_aligned(tmp_path):
    messages = [picture("/kinect/rgb"), depth("/kinect/depth", DEPTH_OPTICAL), info("/kinect/camera_info")]
    aside = make_pose(np.eye(3), [0.025, 0, 0])
    link = START_NS, "/tf_static", tf(START_NS, OPTICAL, DEPTH_OPTICAL, aside)
    assert "record its camera_info" in opened(tmp_path / "a", *messages, link).depth
    same = START_NS, "/tf_static", tf(START_NS, OPTICAL, DEPTH_OPTICAL, np.eye(4))
    assert opened(tmp_path / "b", *messages, same)[0].depth_HW == pytest.approx(2.0)


def test_rectified_depth_of_a_raw_image_is_registered_by_p(tmp_path):
    message = camera_info(START_NS, OPTICAL, CAMERA)
    message.d[:] = [-0.3, 0.1, 0, 0, 0]
    messages = picture("/cam/image_raw"), depth("/cam/depth_rect"), (START_NS, "/cam/camera_info", message)
    sequence = opened(tmp_path, *messages)
    assert sequence.depth.view.camera.at(0).distortion == ()
    assert sequence.query(0).camera.distortion[0] == -0.3
    assert (sequence[0].depth_HW[30:90, 40:120] > 0).all()


def test_the_nearest_depth_camera_goes_first_and_a_far_one_only_by_name(tmp_path):
    far, near = make_pose(np.eye(3), [0.3, 0, 0]), make_pose(np.eye(3), [0.05, 0, 0])
    messages = [picture("/front/rgb"), info("/front/camera_info")]
    for name, place in (("a_far", far), ("b_near", near)):
        link = START_NS, "/tf_static", tf(START_NS, OPTICAL, name, place)
        messages += [depth(f"/{name}/depth", name), info(f"/{name}/camera_info", name), link]
    assert opened(tmp_path / "near", *messages).depth.stream.topic.name == "/b_near/depth"
    only_far = [m for m in messages if "b_near" not in m[1]]
    assert "0.30 m and 0 degrees away from /front/rgb" in opened(tmp_path / "far", *only_far).depth
    assert opened(tmp_path / "named", *only_far, depth="/a_far/depth").depth.stream.topic.name == "/a_far/depth"
