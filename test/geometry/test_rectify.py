from dataclasses import replace

import numpy as np
import pytest
import torch

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.rectify import pinhole_of_size, rectify_depth, rectify_image, undistortion_maps
from dsm_ros.geometry.sampling import cell_centres, pool_depth

LENS = Camera(640, 480, 517.3, 516.5, 318.6, 255.3, "plumb_bob", (0.2624, -0.9531, -0.0054, 0.0026, 1.1633))


@pytest.mark.parametrize(("width", "height", "expected"), [(640, 480, (512, 384)), (1920, 1080, (512, 288))])
def test_network_size_is_a_multiple_of_32(width, height, expected):
    target = pinhole_of_size(Camera(width, height, 500, 500, width / 2, height / 2), 512)
    assert (target.width_px, target.height_px) == expected


def test_a_pixel_lands_where_its_ray_goes():
    target = pinhole_of_size(LENS, 512)
    image = np.zeros((480, 640, 3), np.uint8)
    spot = np.array([[100.0, 90.0]])
    image[80:101, 90:111] = 255
    expected = target.project(LENS.unproject(spot))[0]
    rectified = rectify_image(image, LENS, target)[..., 0].astype(float)
    v, u = np.mgrid[0:384, 0:512]
    centroid = np.array([(u * rectified).sum(), (v * rectified).sum()]) / rectified.sum()
    assert centroid == pytest.approx(expected, abs=0.5)


def test_depth_is_never_mixed():
    depth = np.where(np.arange(640) < 320, 1.0, 3.0).astype(np.float32)[None].repeat(480, 0)
    assert set(np.unique(rectify_depth(depth, LENS, pinhole_of_size(LENS, 512)))) <= {0.0, 1.0, 3.0}


def test_what_no_lens_saw_is_black():
    fisheye = Camera(640, 480, 150.0, 150.0, 320.0, 240.0, "fisheye", (-0.3, 0.0, 0.0, 0.0))
    white = np.full((480, 640, 3), 255, np.uint8)
    white[0, 0] = 77
    target = Camera(640, 480, 30.0, 30.0, 320.0, 240.0)
    rectified = rectify_image(white, fisheye, target)
    assert (rectified[0, 0] == 0).all()
    assert (rectified[240, 320] == 255).all()
    assert rectify_depth(white[..., 0].astype(np.float32), fisheye, target)[0, 0] == 0


def test_maps_are_made_once_per_camera_and_few_are_kept():
    undistortion_maps.cache_clear()
    image, target = np.zeros((480, 640, 3), np.uint8), pinhole_of_size(LENS, 512)
    for _ in range(3):
        same_lens = replace(LENS)
        rectify_image(image, same_lens, target)
    info = undistortion_maps.cache_info()
    assert (info.misses, info.hits) == (1, 2)
    for fx in range(400, 420):
        rectify_image(image, replace(LENS, fx=float(fx)), target)
    assert undistortion_maps.cache_info().currsize <= 8


def test_a_new_calibration_is_used_at_once():
    image = np.zeros((480, 640, 3), np.uint8)
    image[:, 320:] = 255
    target = pinhole_of_size(LENS, 512)
    edges = [np.argmax(rectify_image(image, replace(LENS, cx=cx), target)[192, :, 0] > 127) for cx in (318.6, 382.6)]
    assert edges[0] - edges[1] == pytest.approx(64 * 512 / 640, abs=3)


@pytest.mark.parametrize("width", [512, 640])
def test_every_pixel_of_a_larger_image_is_read(width):
    camera = Camera(1280, 960, 1000.0, 1000.0, 640.0, 480.0)
    target = pinhole_of_size(camera, width)
    for column in range(10):
        image = np.zeros((960, 1280, 3), np.uint8)
        image[:4, column] = 255
        assert rectify_image(image, camera, target, area_from=2.0).any()


def test_wrong_image_size_is_refused():
    with pytest.raises(ValueError, match="640x480"):
        rectify_image(np.zeros((10, 10, 3), np.uint8), LENS, pinhole_of_size(LENS, 512))


def test_cell_depth_is_a_measured_one_and_needs_a_quarter():
    depth = torch.zeros(8, 16)
    depth[:, :8] = torch.where(torch.arange(8) < 5, 1.0, 3.0)
    depth[0, 8:] = 2.0
    assert pool_depth(depth, 8).tolist() == [[1.0, 0.0]]


def test_cell_centres_follow_the_half_pixel_rule():
    assert cell_centres(2, 1, 16, 8).tolist() == [[3.5, 3.5], [11.5, 3.5]]
