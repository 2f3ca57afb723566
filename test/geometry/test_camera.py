import cv2
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.distortion import distort, valid_radius

PINHOLE = Camera(640, 480, 500.0, 510.0, 319.5, 239.5)
PLUMB_BOB = Camera(640, 480, 517.3, 516.5, 318.6, 255.3, "plumb_bob", (0.2624, -0.9531, -0.0054, 0.0026, 1.1633))
FISHEYE = Camera(640, 480, 300.0, 300.0, 320.0, 240.0, "fisheye", (0.02, -0.01, 0.003, -0.001))
RATIONAL = Camera(640, 480, 500, 500, 320, 240, "rational_polynomial", (0.1, -0.05, 1e-3, 1e-3, 0.01, 0.02, 0.01, 0.0))


def test_projects_a_worked_point():
    assert PINHOLE.project(np.array([[0.2, -0.1, 2.0]])) == pytest.approx(np.array([[369.5, 214.0]]))


@pytest.mark.parametrize("camera", [PINHOLE, PLUMB_BOB, FISHEYE, RATIONAL], ids=lambda c: c.distortion_model)
def test_unproject_inverts_project(camera):
    pixels = np.array([[10.0, 20.0], [320.0, 240.0], [600.0, 30.0], [55.5, 470.25]])
    assert camera.project(camera.unproject(pixels) * 3.7) == pytest.approx(pixels, abs=1e-3)


def test_distortion_agrees_with_opencv():
    points = np.array([[0.3, -0.2, 1.5], [-0.5, 0.4, 2.0]])
    expected = cv2.projectPoints(points, np.zeros(3), np.zeros(3), PLUMB_BOB.matrix_33, np.array(PLUMB_BOB.distortion))
    assert PLUMB_BOB.project(points) == pytest.approx(expected[0][:, 0])


@pytest.mark.parametrize("size", [4, 5, 8, 12, 14])
@pytest.mark.parametrize("model", ["plumb_bob", "rational_polynomial"])
def test_opencv_coefficients_of_every_number_are_taken(model, size):
    coefficients = tuple(np.linspace(0.01, 0.05, size))
    camera = Camera(640, 480, 500, 500, 320, 240, model, coefficients)
    point = np.array([[0.3, -0.2, 1.5]])
    zero = np.zeros(3)
    expected = cv2.projectPoints(point, zero, zero, camera.matrix_33, np.array(coefficients))[0][:, 0]
    assert camera.project(point) == pytest.approx(expected)
    assert camera.unproject(expected) * 1.5 == pytest.approx(point, abs=1e-5)


def test_fisheye_agrees_with_opencv():
    points = np.array([[0.3, -0.2, 1.5], [-2.5, 1.4, 1.0], [0.0, 0.0, 2.0]])
    zero = np.zeros(3)
    expected = cv2.fisheye.projectPoints(points[:, None], zero, zero, FISHEYE.matrix_33, np.array(FISHEYE.distortion))
    assert FISHEYE.project(points) == pytest.approx(expected[0][:, 0])


@pytest.mark.parametrize("name", ["equidistant", "Equidistant", "fisheye", "kannala_brandt", "Kannala-Brandt"])
def test_every_spelling_of_a_fisheye_is_one_camera(name):
    assert Camera(640, 480, 300.0, 300.0, 320.0, 240.0, name, FISHEYE.distortion) == FISHEYE


def test_a_fisheye_with_zero_coefficients_is_no_pinhole():
    ideal = Camera(640, 480, 300, 300, 320, 240, "equidistant", (0.0,) * 4)
    assert ideal.project(np.array([[1.0, 0.0, 1.0]])) == pytest.approx(np.array([[320 + 300 * np.pi / 4, 240]]))


def turn(radius, angle):
    return radius * np.cos(angle), radius * np.sin(angle)


small = st.floats(-0.3, 0.3)
tiny = st.floats(-0.005, 0.005)
RADIAL = st.tuples(small, small, tiny, tiny, small)
COEFFICIENTS = {
    "plumb_bob": st.one_of(st.tuples(small, small, tiny, tiny), RADIAL),
    "rational_polynomial": st.one_of(
        st.tuples(small, small, tiny, tiny, small, small, small, small),
        st.tuples(small, small, tiny, tiny, small, small, small, small, tiny, tiny, tiny, tiny),
        st.tuples(small, small, tiny, tiny, small, small, small, small, tiny, tiny, tiny, tiny, tiny, tiny),
    ),
    "equidistant": st.tuples(small, small, small, small),
    "none": st.just(()),
}


def cameras(model):
    return st.builds(Camera, *map(st.just, (640, 480, 400.0, 410.0, 318.0, 243.0, model)), COEFFICIENTS[model])


def field_of_view(camera):
    """The largest safe x / z: within the model's radius, and that of a lens of 140 degrees."""
    return min(0.8 * valid_radius(camera.distortion_model, camera.distortion), np.tan(np.deg2rad(70)))


SHARES = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 6.3), st.floats(0.2, 50)), min_size=1, max_size=5)
EVERY_MODEL = pytest.mark.parametrize("model", COEFFICIENTS)


FAR_OUTSIDE_PX = 12_800  # twenty images beside the image; a tilted sensor has its horizon out there


def points_in_view(camera, shares):
    reach = field_of_view(camera)
    return np.array([[*np.multiply(turn(reach * share, angle), depth), depth] for share, angle, depth in shares])


def is_one_to_one(camera, points):
    """Return whether the radial distortion changes twice as fast as the rest, on the way from the centre to points.

    Elsewhere, two points may have one pixel.
    """
    if camera.distortion_model in ("none", "equidistant"):
        return True
    radial = tuple(0.0 if 2 <= i < 4 or i >= 8 else value for i, value in enumerate(camera.distortion))
    xy = np.concatenate([points[:, :2] / points[:, 2:] * share for share in np.linspace(0.05, 1, 20)])
    whole, part = (jacobians(camera.distortion_model, coefficients, xy) for coefficients in (camera.distortion, radial))
    slowest, rest = np.linalg.norm(part, -2, axis=(1, 2)), np.linalg.norm(whole - part, 2, axis=(1, 2))
    return bool((slowest > 2 * rest).all())


def jacobians(model, coefficients, xy, step=1e-5):
    shifts = step * np.eye(2)
    ahead, behind = ([distort(model, coefficients, xy + sign * shift) for shift in shifts] for sign in (1, -1))
    return np.stack([(a - b) / (2 * step) for a, b in zip(ahead, behind, strict=True)], axis=2)


def test_a_pixel_beyond_the_largest_radius_without_tangential_distortion_has_a_ray():
    camera = Camera(640, 480, 400, 410, 318, 243, "rational_polynomial", (0.0, 0.0, 0.0, 0.004, 0.0, 0.25, 0.0, 0.0))
    point = np.array([[1.6, 0.0, 1.0]])  # at a distorted radius of 1.006, while 1 is the largest of the radial part
    assert camera.unproject(camera.project(point)) == pytest.approx(point, abs=1e-6)


@EVERY_MODEL
@given(data=st.data(), shares=SHARES)
def test_a_point_in_view_is_on_the_ray_of_its_pixel(model, data, shares):
    camera = data.draw(cameras(model))
    points = points_in_view(camera, shares)
    pixels = camera.project(points)
    assert np.isfinite(pixels).all()
    assume(not (np.abs(pixels) > FAR_OUTSIDE_PX).any())
    assume(is_one_to_one(camera, points))
    assert camera.unproject(pixels) == pytest.approx(points / points[:, 2:], abs=1e-4)


@EVERY_MODEL
@given(data=st.data(), shares=SHARES, left=st.integers(0, 300), top=st.integers(0, 300))
def test_cropping_and_resizing_move_pixels_alike(model, data, shares, left, top):
    camera = data.draw(cameras(model))
    points = points_in_view(camera, shares)
    pixels = camera.project(points)
    assert camera.cropped(left, top, 100, 100).project(points) == pytest.approx(pixels - (left, top), abs=1e-6)
    resized = camera.resized(320, 960).project(points)
    assert resized == pytest.approx((pixels + 0.5) * (0.5, 2.0) - 0.5, abs=1e-6)


@EVERY_MODEL
@given(data=st.data(), pixels=st.lists(st.tuples(st.floats(-5000, 5000), st.floats(-5000, 5000)), min_size=1))
def test_a_pixel_has_its_own_ray_or_none(model, data, pixels):
    camera = data.draw(cameras(model))
    rays = camera.unproject(np.array(pixels))
    seen = np.isfinite(rays).all(axis=1)
    assert camera.project(rays)[seen] == pytest.approx(np.array(pixels)[seen], abs=0.02)


def test_pixels_beyond_a_fisheye_have_no_ray():
    widest = 300 * (np.pi / 2)
    ideal = Camera(2000, 2000, 300, 300, 999.5, 999.5, "equidistant", (0.0,) * 4)
    rays = ideal.unproject(np.array([[999.5 + 0.98 * widest, 999.5], [999.5 + 1.01 * widest, 999.5], [0.0, 0.0]]))
    assert np.isfinite(rays[0]).all()
    assert np.isnan(rays[1:, :2]).all()


@pytest.mark.parametrize(
    "camera",
    [
        Camera(640, 480, 300, 300, 320, 240, "equidistant", (-0.3, 0.0, 0.0, 0.0)),
        Camera(640, 480, 300, 300, 320, 240, "plumb_bob", (-0.3, 0.0, 0.0, 0.0)),
        Camera(640, 480, 300, 300, 320, 240, "rational_polynomial", (0.0, 0.0, 0.0, 0.0, 0.0, 0.3, 0.2, 0.0)),
    ],
    ids=lambda c: c.distortion_model,
)
def test_points_are_not_folded_back_into_the_image(camera):
    across = np.linspace(0.0, 3.0, 301)
    u = camera.project(np.stack([across, 0 * across, np.ones(301)], axis=1))[:, 0]
    seen = np.isfinite(u)
    assert 50 < seen.sum() < 250
    assert seen[: seen.sum()].all()
    assert (np.diff(u[seen]) > 0).all()


@pytest.mark.parametrize("camera", [PINHOLE, PLUMB_BOB, FISHEYE], ids=lambda c: c.distortion_model)
def test_no_points_have_no_pixels(camera):
    assert camera.project(np.empty((0, 3))).shape == (0, 2)
    assert camera.unproject(np.empty((0, 2))).shape == (0, 3)


def test_points_behind_the_camera_have_no_pixel():
    assert np.isnan(PINHOLE.project(np.array([[0.0, 0.0, -1.0], [0.0, 0.0, 0.0]]))).all()


def test_resizing_keeps_the_corners_of_the_image():
    half = PINHOLE.resized(320, 240)
    ray_of_corner = PINHOLE.unproject(np.array([[-0.5, -0.5], [639.5, 479.5]]))
    assert half.project(ray_of_corner) == pytest.approx(np.array([[-0.5, -0.5], [319.5, 239.5]]))


@given(st.integers(20, 2000), st.integers(20, 2000))
def test_resizing_back_restores_the_camera(width, height):
    restored = PINHOLE.resized(width, height).resized(640, 480)
    assert restored.matrix_33 == pytest.approx(PINHOLE.matrix_33)


def test_cropping_shifts_the_principal_point():
    assert PINHOLE.cropped(100, 50, 200, 200).project(np.array([[0.0, 0.0, 1.0]])) == pytest.approx(
        np.array([[219.5, 189.5]])
    )


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"fx": float("nan")}, "NaN"),
        ({"cy": float("inf")}, "NaN or infinity"),
        ({"distortion_model": "plumb_bob", "distortion": (0.1, float("nan"), 0.0, 0.0)}, "K or D"),
        ({"fx": 0.0}, "focal lengths are 0 and 500"),
        ({"fy": -5.0}, "focal lengths are 500 and -5"),
        ({"width_px": 0}, "0x480"),
        ({"distortion_model": "lens of my own", "distortion": (0.1,)}, "unknown distortion model 'lens of my own'"),
        ({"distortion_model": "plumb_bob", "distortion": (0.1, 0.2)}, "plumb_bob takes 4 or 5 or 8 .* not 2"),
        ({"distortion_model": "equidistant", "distortion": (0.1,) * 5}, "equidistant takes 4 coefficients, not 5"),
        ({"distortion_model": "fisheye", "distortion": ()}, "equidistant takes 4 coefficients, not 0"),
        ({"distortion_model": "", "distortion": (0.1,) * 5}, "none takes 0 coefficients, not 5"),
    ],
)
def test_impossible_cameras_are_refused(wrong, said):
    numbers = {"width_px": 640, "height_px": 480, "fx": 500.0, "fy": 500.0, "cx": 320.0, "cy": 240.0}
    with pytest.raises(ValueError, match=said):
        Camera(**{**numbers, **wrong})


def test_zero_distortion_is_none():
    assert Camera(4, 4, 1, 1, 1, 1, "plumb_bob", (0.0,) * 5).distortion_model == "none"
