"""Every CameraInfo gives the camera of its image, or one ValueError."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from dsm_ros.geometry.camera import Camera
from dsm_ros.messages.camera import camera_from_msg, camera_of_size, check_intrinsics, rectified_camera_from_msg
from dsm_ros.node.interface.conversions import camera_to_msg

FULL = Camera(640, 480, 500.0, 510.0, 319.5, 239.5)
PLUMB_BOB = (0.2624, -0.9531, -0.0054, 0.0026, 1.1633)


def info(model="plumb_bob", d=PLUMB_BOB, **fields):
    message = CameraInfo(width=640, height=480, distortion_model=model, d=list(d))
    message.k = [500.0, 0, 319.5, 0, 510.0, 239.5, 0, 0, 1]
    for name, value in fields.items():
        setattr(message, name, value)
    return message


def with_region(left, top, width, height, binning=(0, 0), rectify=False):
    message = info(d=[0.0] * 5, binning_x=binning[0], binning_y=binning[1])
    message.roi.x_offset, message.roi.y_offset, message.roi.width, message.roi.height = left, top, width, height
    message.roi.do_rectify = rectify
    return message


@pytest.mark.parametrize(
    ("model", "d"),
    [
        ("plumb_bob", PLUMB_BOB[:4]),
        ("plumb_bob", PLUMB_BOB),
        *[("plumb_bob", (0.01,) * size) for size in (8, 12, 14)],
        *[("rational_polynomial", (0.01,) * size) for size in (8, 12, 14)],
        ("equidistant", (0.02, -0.01, 0.003, -0.001)),
        ("equidistant", (0.0,) * 4),
    ],
)
def test_cameras_of_every_model_round_trip(model, d):
    camera = Camera(640, 480, 517.3, 516.5, 318.6, 255.3, model, d)
    assert (camera.distortion_model, camera.distortion) == (model, d)
    assert camera_from_msg(camera_to_msg(camera, Header())) == camera


@pytest.mark.parametrize("name", ["fisheye", "Equidistant", "kannala_brandt"])
def test_spellings_of_equidistant(name):
    d = (0.02, -0.01, 0.003, -0.001)
    assert camera_from_msg(info(name, d)) == camera_from_msg(info("equidistant", d))


RECTIFIED = [450.0, 0, 310.0, -45.0, 0, 455.0, 230.0, 0, 0, 0, 1, 0]  # with the baseline of a right camera


def test_a_rectified_image_is_described_by_p_and_has_no_distortion():
    assert rectified_camera_from_msg(info(p=RECTIFIED)) == Camera(640, 480, 450.0, 455.0, 310.0, 230.0)
    assert rectified_camera_from_msg(info("crystal ball", p=RECTIFIED)).distortion_model == "none"
    message = with_region(100, 60, 400, 300, (2, 2), rectify=True)
    message.p = RECTIFIED
    expected = Camera(640, 480, 450.0, 455.0, 310.0, 230.0).cropped(100, 60, 400, 300).resized(200, 150)
    assert rectified_camera_from_msg(message) == expected


def test_a_rectified_image_without_p_is_uncalibrated():
    with pytest.raises(ValueError, match="not calibrated"):
        rectified_camera_from_msg(info())


@pytest.mark.parametrize("binning", [(0, 0), (1, 1), (0, 1)])
@pytest.mark.parametrize("rectify", [False, True])
def test_defaults_mean_the_full_image(binning, rectify):
    assert camera_from_msg(with_region(0, 0, 0, 0, binning, rectify)) == FULL
    assert camera_from_msg(with_region(0, 0, 640, 480, binning, rectify)) == FULL


def test_a_region_moves_the_principal_point():
    assert camera_from_msg(with_region(100, 60, 400, 300, rectify=True)) == FULL.cropped(100, 60, 400, 300)


def test_binning_joins_pixels_of_each_axis():
    camera = camera_from_msg(with_region(0, 0, 0, 0, (2, 4)))
    assert (camera.width_px, camera.height_px, camera.fx, camera.fy) == (320, 120, 250.0, 127.5)
    assert camera.project(FULL.unproject([[0.5, 1.5]])) == pytest.approx(np.zeros((1, 2)), abs=1e-9)


def test_pixels_that_fill_no_bin_are_dropped():
    camera = camera_from_msg(with_region(10, 20, 401, 303, (2, 2)))
    assert (camera.width_px, camera.height_px, camera.fx) == (200, 151, 250.0)


@given(
    st.tuples(st.integers(0, 300), st.integers(0, 200), st.integers(8, 340), st.integers(8, 280)),
    st.tuples(st.integers(0, 4), st.integers(0, 4)),
    st.floats(-0.3, 0.3),
    st.floats(-0.2, 0.2),
)
def test_region_and_binning_see_what_the_sensor_saw(region, binning, x, y):
    left, top, _, _ = region
    across, down = (max(1, side) for side in binning)
    point = np.array([[x, y, 1.0]])
    seen = camera_from_msg(with_region(*region, binning)).project(point)
    bins = (FULL.project(point) - (left, top) + 0.5) / (across, down) - 0.5
    assert seen == pytest.approx(bins)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (info(k=[0.0] * 9), "camera is not calibrated; run camera_calibration"),
        (CameraInfo(), "not calibrated"),
        (info(width=0), "0x480"),
        (info(k=[float("nan"), 0, 1, 0, 1, 1, 0, 0, 1]), "NaN"),
        (info(k=[float("inf"), 0, 1, 0, 1, 1, 0, 0, 1]), "infinity"),
        (info(k=[-5.0, 0, 1, 0, 1, 1, 0, 0, 1]), "focal lengths are -5 and 1"),
        (info(d=[float("nan")] * 5), "K or D contains NaN"),
        (info(d=[float("inf"), 0, 0, 0, 0]), "K or D contains NaN or infinity"),
        (info(d=[0.1] * 3), "plumb_bob takes .* not 3"),
        (info("rational_polynomial", [0.1] * 9), "rational_polynomial takes .* not 9"),
        (info("equidistant", [0.1] * 5), "equidistant takes 4 coefficients, not 5"),
        (info("ds", [0.1] * 2), "unknown distortion model 'ds'; .* plumb_bob"),
        (info("", [0.1] * 5), "none takes 0"),
        (with_region(600, 0, 100, 100), r"ROI 100x100 at \(600, 0\) is not within 640x480"),
        (with_region(0, 0, 100, 0), "ROI 100x0"),
        (with_region(0, 0, 0, 0, (1, 481)), "binning 1x481 is larger than the 640x480 image"),
    ],
)
def test_what_is_wrong_with_a_camera_is_said(wrong, said):
    with pytest.raises(ValueError, match=said) as error:
        camera_from_msg(wrong)
    assert "\n" not in str(error.value)


IMPLAUSIBLE = [
    ((0.78, 1.04, 0.5, 0.5), "seems to be in normalised units"),
    ((1.0, 1.0, 0.0, 0.0), "seems to be in normalised units"),
    ((31.9, 500.0, 319.5, 239.5), "seems to be in normalised units"),
    ((500.0, 32001.0, 319.5, 239.5), "is for another image size than 640x480"),
    ((500.0, 500.0, 0.0, 0.0), r"has its principal point \(0, 0\) in the corner of the 640x480 image"),
    ((1000.0, 1000.0, 640.5, 480.5), r"is for another image size than 640x480 \(.*\(640.5, 480.5\) is outside"),
    ((500.0, 500.0, 319.5, -1.0), "is outside"),
    ((500.0, 500.0, -1.0, 239.5), "is outside"),
    ((1000.0, 1000.0, 631.0, 471.0), r"\(631, 471\) is near a corner"),  # K of images of twice the size
    ((250.0, 250.0, 157.0, 122.0), r"\(157, 122\) is near a corner"),  # and of half the size
]


@pytest.mark.parametrize(("intrinsics", "said"), IMPLAUSIBLE)
def test_intrinsics_of_another_unit_or_size_are_refused(intrinsics, said):
    fx, fy, cx, cy = intrinsics
    k, p = [fx, 0, cx, 0, fy, cy, 0, 0, 1], [fx, 0, cx, -45.0, 0, fy, cy, 0, 0, 0, 1, 0]
    whole_region = with_region(0, 0, 640, 480, (2, 2))
    whole_region.k = k
    for name, refused in (
        ("K", lambda: check_intrinsics(Camera(640, 480, *intrinsics))),
        ("K", lambda: camera_from_msg(whole_region)),
        ("P", lambda: rectified_camera_from_msg(info(p=p))),
    ):
        with pytest.raises(ValueError, match=f"^{name} .*{said}") as error:
            refused()
        assert "calibrate the camera" in str(error.value)
        assert "--camera-info" not in str(error.value)  # the live node has no such option
        assert "\n" not in str(error.value)


PLAUSIBLE = [
    (640, 480, 517.3, 516.5, 318.6, 255.3),  # TUM fr1
    (1920, 1080, 1081.4, 1081.4, 959.5, 539.5),  # Kinect v2
    (640, 480, 32.0, 32.0, 319.5, 239.5),
    (640, 480, 32000.0, 32000.0, 319.5, 239.5),
    (848, 800, 285.0, 286.0, 427.0, 398.0),  # fisheye of a T265
    (640, 480, 400.0, 400.0, 500.0, 240.0),  # right image of a stereo pair rectified to a common centre
    (640, 480, 500.0, 500.0, 0.0, 239.5),
    (640, 480, 500.0, 500.0, 100.0, 400.0),
]


@pytest.mark.parametrize("numbers", PLAUSIBLE)
def test_intrinsics_of_real_cameras_are_kept(numbers):
    check_intrinsics(Camera(*numbers))


@pytest.mark.parametrize("model", ["plumb_bob", "equidistant"])
@pytest.mark.parametrize("coefficient", range(4))
@pytest.mark.parametrize("value", [1e9, -1e9, 1e300])
def test_a_distortion_that_no_lens_has_is_refused(model, coefficient, value):
    d = [0.0] * (4 if model == "equidistant" else 5)
    d[coefficient] = value
    with pytest.raises(ValueError, match=r"^D \(.*1e.*\) distorts the centre .*calibrate the camera"):
        camera_from_msg(info(model, d))


@pytest.mark.parametrize(
    ("model", "focal_px", "d"),
    [
        ("rational_polynomial", 613.0, (0.47, -2.55, 0.0006, -0.0002, 1.49, 0.35, -2.37, 1.42)),  # Azure Kinect, colour
        ("rational_polynomial", 500.0, (32.7, 21.3, 0.0, 0.0, 1.1, 33.1, 32.5, 6.0)),  # Azure Kinect, depth
        ("equidistant", 215.0, (-0.0045, 0.0408, -0.0388, 0.0068)),  # fisheye of a T265
        ("plumb_bob", 190.0, (-0.3, 0.07, 0.0, 0.0, 0.0)),  # 120 degrees wide
        ("equidistant", 32.0, (0.0,) * 4),
    ],
)
def test_the_distortion_of_real_lenses_is_kept(model, focal_px, d):
    k = [focal_px, 0, 319.5, 0, focal_px, 239.5, 0, 0, 1]
    assert camera_from_msg(info(model, d, k=k)).distortion == d


def test_a_region_may_lie_beside_the_principal_point():
    assert camera_from_msg(with_region(0, 0, 100, 100)) == FULL.cropped(0, 0, 100, 100)


@given(st.integers(16, 4000), st.integers(16, 4000), st.floats(0.1, 10), st.floats(-0.15, 0.15), st.floats(-0.15, 0.15))
def test_units_of_the_image_are_all_that_is_refused(width, height, focal_per_width, right, down):
    focal = focal_per_width * width
    centre = ((0.5 + right) * width, (0.5 + down) * height)
    check_intrinsics(Camera(width, height, focal, focal, *centre))
    with pytest.raises(ValueError, match="normalised"):
        check_intrinsics(Camera(width, height, focal / width / 16, focal / height / 16, 0.5 + right, 0.5 + down))


def test_a_changed_calibration_is_another_camera():
    first = camera_from_msg(info())
    assert camera_from_msg(info(width=320, height=240, k=[250.0, 0, 159.5, 0, 255.0, 119.5, 0, 0, 1])) != first
    assert camera_from_msg(info()) == first


def test_the_camera_of_its_own_size_is_left_alone():
    assert camera_of_size(FULL, 640, 480) is FULL


@pytest.mark.parametrize("size", [(320, 240), (1280, 960), (213, 160), (100, 75), (427, 320)])
def test_an_image_scaled_evenly_scales_the_camera(size):
    assert camera_of_size(FULL, *size) == FULL.resized(*size)


@pytest.mark.parametrize("size", [(640, 360), (480, 640), (400, 300 + 9), (642, 480), (32, 32)])
def test_an_image_of_another_shape_is_refused(size):
    for _ in range(2):
        with pytest.raises(ValueError, match=f"images are {size[0]}x{size[1]} but camera_info is for 640x480"):
            camera_of_size(FULL, *size)
