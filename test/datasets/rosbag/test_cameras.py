"""Each image has its recorded camera, or the recording is refused."""

import numpy as np
import pytest
from bag_parts import CAMERA, depth, info, opened, picture
from robot_bag import (
    DEPTH_OPTICAL,
    OPTICAL,
    START_NS,
    S,
    camera_info,
    image,
    stamp,
    write,
)

from dsm_ros.datasets.rosbag.sequence import RosbagSequence
from dsm_ros.datasets.source_options import SourceOptions
from dsm_ros.errors import ImageError, SequenceError
from dsm_ros.geometry.camera import Camera


def test_camera_info_of_each_image_counts_and_uncalibrated_ones_do_not(tmp_path):
    zoomed = Camera(160, 120, 200, 200, 79.5, 59.5)
    uncalibrated = camera_info(stamp(-1), OPTICAL, CAMERA)
    uncalibrated.k[:] = 0
    messages = [(stamp(-1), "/cam/camera_info", uncalibrated)]
    for second, camera in ((0, CAMERA), (1, CAMERA), (2, zoomed)):
        ns = stamp(second)
        messages += [(ns, "/cam/image_raw", picture("")[2])]
        messages[-1][2].header.stamp.sec += second
        messages += [info("/cam/camera_info", camera=camera, ns=ns)]
    sequence = opened(tmp_path, *messages)
    assert [sequence.query(i).camera.fx for i in range(3)] == [CAMERA.fx, CAMERA.fx, 200]


@pytest.mark.parametrize(
    ("camera", "said"),
    [
        (Camera(160, 120, 0.8, 0.8, 0.5, 0.5), "normalised units .* --camera-info FILE.yaml"),
        (Camera(160, 90, 131, 131, 79.5, 44.5), "images are 160x120 but camera_info is for 160x90"),
        (Camera(160, 120, 1000, 1000, 640, 360), "another image size"),
    ],
)
def test_a_calibration_that_cannot_be_the_images_is_refused(tmp_path, camera, said):
    with pytest.raises(SequenceError, match=said):
        opened(tmp_path, picture("/cam/image_raw"), info("/cam/camera_info", camera=camera)).query(0)


def test_a_calibration_of_another_cameras_frame_is_refused(tmp_path):
    messages = picture("/cam/color/image_raw"), depth("/cam/depth/image_raw", DEPTH_OPTICAL)
    with pytest.raises(SequenceError, match="another camera than /cam/color/image_raw"):
        opened(tmp_path, *messages, info("/cam/color/camera_info", DEPTH_OPTICAL))


def test_an_image_without_camera_info_asks_for_it(tmp_path):
    with pytest.raises(SequenceError, match="no camera_info for /cam/image_raw"):
        opened(tmp_path, picture("/cam/image_raw"))


def test_a_calibration_file_in_the_folder_or_by_option_overrides_camera_info(tmp_path):
    from dsm_ros.datasets.camera_info import write_camera_info

    folder = tmp_path / "option"
    folder.mkdir()
    write_camera_info(folder, Camera(160, 120, 140, 140, 79.5, 59.5))
    path = write(tmp_path / "bag", [picture("/cam/image_raw"), info("/cam/camera_info"), depth("/cam/depth")])
    named = RosbagSequence(path, SourceOptions(camera_info=str(folder / "camera_info.yaml")))
    write_camera_info(path, Camera(160, 120, 150, 150, 79.5, 59.5))
    found = RosbagSequence(path)
    assert (named.query(0).camera.fx, found.query(0).camera.fx) == (140, 150)
    assert found[0].depth_HW == pytest.approx(2.0)
    assert str(path / "camera_info.yaml") in found.describe().parts[1].source


def test_rectified_images_have_the_camera_of_p(tmp_path):
    message = camera_info(START_NS, OPTICAL, CAMERA)
    message.d[:] = 0.1
    message.p[:] = [140, 0, 79.5, 0, 0, 140, 59.5, 0, 0, 0, 1, 0]
    for topic, options in (("image_rect", {}), ("image_raw", {"rectified": True})):
        sequence = opened(
            tmp_path / topic, picture(f"/cam/{topic}"), (START_NS, "/cam/camera_info", message), **options
        )
        assert sequence.query(0).camera == Camera(160, 120, 140, 140, 79.5, 59.5)
    raw = opened(tmp_path / "raw", picture("/cam/image_raw"), (START_NS, "/cam/camera_info", message))
    assert raw.query(0).camera.distortion == (0.1,) * 5


def test_images_of_two_frames_on_one_topic_are_refused(tmp_path):
    late = START_NS + S, "/cam/image_raw", image(START_NS + S, "other", np.zeros((120, 160, 3), np.uint8), "rgb8")
    sequence = opened(tmp_path, picture("/cam/image_raw"), late, info("/cam/camera_info"))
    with pytest.raises(SequenceError, match="images of the frames"):
        sequence.query(1)


def test_undistorted_images_have_the_camera_of_p(tmp_path):
    message = camera_info(START_NS, OPTICAL, CAMERA)
    message.d[:] = 0.1
    sequence = opened(tmp_path, picture("/cam/image_undistorted"), (START_NS, "/cam/camera_info", message))
    assert sequence.query(0).camera.distortion == ()


def test_a_calibration_stamped_just_after_its_image_is_that_images(tmp_path):
    zoomed = Camera(160, 120, 200, 200, 79.5, 59.5)
    infos = [
        info("/cam/camera_info", camera=c, ns=ns) for c, ns in ((CAMERA, START_NS - S), (zoomed, START_NS + 10**6))
    ]
    assert opened(tmp_path, picture("/cam/image_raw"), *infos).query(0).camera.fx == 200


def test_a_camera_info_topic_of_two_cameras_is_refused(tmp_path):
    infos = info("/cam/camera_info"), info("/cam/camera_info", "other", ns=START_NS + S)
    with pytest.raises(SequenceError, match="several cameras publish to it"):
        opened(tmp_path, picture("/cam/image_raw"), *infos)


def test_a_damaged_image_is_one_image_less(tmp_path):
    late = image(START_NS + S, OPTICAL, np.zeros((120, 160, 3), np.uint8), "rgb8")
    late.data = late.data[:100]
    sequence = opened(
        tmp_path, (START_NS - S, "/cam/image_raw", late), picture("/cam/image_raw"), info("/cam/camera_info")
    )
    with pytest.raises(ImageError, match="truncated; check the publisher"):
        sequence.query(1)
    assert sequence.query(0).image_HW3.shape == (120, 160, 3)
    assert sequence.describe().parts[0].source == "/cam/image_raw"
