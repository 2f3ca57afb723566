"""The size of a keyframe stays within its limit for any image."""

import numpy as np
import pytest

from dsm_ros.datasets.frame import Frame
from dsm_ros.geometry.camera import Camera
from dsm_ros.scene_map.keyframe import MAX_BYTES, MAX_WIDTH_PX, compress


def noisy_frame(width_px, height_px, depth_noise_m):
    """A frame of noise, which hardly compresses."""
    rng = np.random.default_rng(0)
    image_HW3 = rng.integers(0, 255, (height_px, width_px, 3), dtype=np.uint8)
    depth_HW = (2 + depth_noise_m * rng.random((height_px, width_px))).astype(np.float32)
    return Frame("noise", 0, image_HW3, Camera(width_px, height_px, 500, 500, 319.5, 239.5), depth_HW, np.eye(4))


@pytest.mark.parametrize(("size", "depth_noise_m"), [((640, 480), 0.0), ((640, 480), 5.0), ((1280, 960), 5.0)])
def test_noise_stays_below_the_limit_and_readable(size, depth_noise_m):
    frame = noisy_frame(*size, depth_noise_m)
    keyframe = compress(frame, 1, "s")
    assert len(keyframe.image_jpeg) + len(keyframe.depth_png) <= MAX_BYTES
    assert keyframe.camera.width_px <= MAX_WIDTH_PX
    assert keyframe.image_HW3().shape[:2] == keyframe.depth_HW().shape
    seen_rad = np.arctan(keyframe.camera.width_px / 2 / keyframe.camera.fx)
    assert seen_rad == pytest.approx(np.arctan(frame.camera.width_px / 2 / frame.camera.fx))


def test_an_ordinary_frame_keeps_its_size():
    frame = noisy_frame(640, 480, 0.0)
    smooth = Frame(frame.name, 0, np.full_like(frame.image_HW3, 90), frame.camera, frame.depth_HW, frame.map_T_camera)
    assert compress(smooth, 1, "s").camera == frame.camera
