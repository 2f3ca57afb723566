import cv2
import numpy as np
import pytest

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.patches import align, cut_patches, grey_pyramid

CAMERA = Camera(512, 384, 420.0, 420.0, 255.5, 191.5)
PIXELS = np.stack(np.meshgrid(np.arange(60.0, 460, 40), np.arange(60.0, 330, 40)), axis=2).reshape(-1, 2)
SAME = np.broadcast_to(np.eye(2), (len(PIXELS), 2, 2))


def texture():
    noise = np.random.default_rng(0).normal(size=(384, 512)).astype(np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 2.0)
    return np.clip(128 + 25 * smooth / smooth.std(), 0, 255).astype(np.float32)


def pyramid(grey_HW):
    image_HW3 = np.dstack([np.clip(grey_HW + 0.5, 0, 255).astype(np.uint8)] * 3)
    return grey_pyramid(image_HW3, CAMERA, 512)[0]


def moved(grey_HW, matrix_23):
    """The image whose pixel ``matrix (u, v, 1)`` shows what pixel (u, v) of the given one shows."""
    return cv2.warpAffine(grey_HW, matrix_23, (512, 384), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)


def shifted(grey_HW, du, dv):
    return moved(grey_HW, np.array([[1, 0, du], [0, 1, dv]], np.float32))


@pytest.mark.parametrize(("du", "dv"), [(0.3, -0.6), (2.5, 1.25), (-7.5, 4.0)])
def test_a_shift_is_found_to_a_fraction_of_a_pixel(du, dv):
    patches = cut_patches(pyramid(texture()), PIXELS)
    found = align(pyramid(shifted(texture(), du, dv)), patches, PIXELS, SAME)
    off_N = np.linalg.norm(found.pixels_N2 - PIXELS - (du, dv), axis=1)
    assert np.median(off_N) < 0.05
    assert np.mean((off_N < 0.2) & (found.correlation_N > 0.9)) > 0.9


def test_exposure_and_contrast_do_not_move_patches():
    patches = cut_patches(pyramid(texture()), PIXELS)
    found = align(pyramid(20 + 0.6 * shifted(texture(), 1.5, -0.5)), patches, PIXELS, SAME)
    assert np.median(np.linalg.norm(found.pixels_N2 - PIXELS - (1.5, -0.5), axis=1)) < 0.05


def test_the_warp_says_how_patches_are_turned_and_scaled():
    turn_33 = np.vstack([cv2.getRotationMatrix2D((255.5, 191.5), 50.0, 1.3), (0, 0, 1)])
    expected_N2 = (np.column_stack([PIXELS, np.ones(len(PIXELS))]) @ turn_33.T)[:, :2]
    inside_N = ((expected_N2 > 30) & (expected_N2 < (482, 354))).all(axis=1)
    patches = cut_patches(pyramid(texture()), PIXELS[inside_N])
    turned, warp = pyramid(moved(texture(), turn_33[:2])), np.broadcast_to(turn_33[:2, :2], (inside_N.sum(), 2, 2))
    start_N2 = expected_N2[inside_N] + (1.0, -1.0)
    found = align(turned, patches, start_N2, warp)
    assert np.median(np.linalg.norm(found.pixels_N2 - expected_N2[inside_N], axis=1)) < 0.1
    unturned = align(turned, patches, start_N2, SAME[inside_N])
    assert np.median(unturned.correlation_N) < 0.6 < 0.9 < np.median(found.correlation_N)


def test_another_image_correlates_with_no_patch():
    patches = cut_patches(pyramid(texture()), PIXELS)
    found = align(pyramid(texture()[::-1, ::-1].copy()), patches, PIXELS, SAME)
    assert np.mean(found.correlation_N > 0.8) < 0.1


def test_no_patches_and_blank_patches_are_found_nowhere():
    none = align(pyramid(texture()), cut_patches(pyramid(texture()), PIXELS[:0]), PIXELS[:0], SAME[:0])
    assert none.pixels_N2.shape == (0, 2)
    blank = cut_patches(pyramid(np.full((384, 512), 90.0)), PIXELS)
    found = align(pyramid(texture()), blank, PIXELS, SAME)
    assert np.isfinite(found.pixels_N2).all()
    assert (found.correlation_N < 0.1).all()


def test_the_pyramid_is_that_of_the_rectified_image():
    distorted = Camera(640, 480, 525.0, 525.0, 319.5, 239.5, "plumb_bob", (0.2, -0.1, 0.0, 0.0, 0.0))
    levels, pinhole = grey_pyramid(np.full((480, 640, 3), 100, np.uint8), distorted, 512)
    assert pinhole.distortion_model == "none"
    assert [level.shape for level in levels] == [(384, 512), (192, 256), (96, 128)]
