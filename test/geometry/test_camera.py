import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsm_ros.geometry.camera import Camera

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
    "wrong",
    [
        {"fx": float("nan")},
        {"fx": 0.0},
        {"width_px": 0},
        {"distortion_model": "lens of my own"},
        {"distortion_model": "plumb_bob", "distortion": (0.1, 0.2)},
    ],
)
def test_impossible_cameras_are_refused(wrong):
    numbers = {"width_px": 640, "height_px": 480, "fx": 500.0, "fy": 500.0, "cx": 320.0, "cy": 240.0}
    with pytest.raises(ValueError):
        Camera(**{**numbers, **wrong})


def test_zero_distortion_is_none():
    assert Camera(4, 4, 1, 1, 1, 1, "plumb_bob", (0.0,) * 5).distortion_model == "none"
