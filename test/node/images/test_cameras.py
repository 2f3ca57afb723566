import logging

from dsm_ros.geometry.camera import Camera
from dsm_ros.node.images.cameras import fitted_camera

FULL = Camera(640, 480, 500.0, 510.0, 319.5, 239.5)


def test_a_camera_scaled_to_its_images_is_logged_once(caplog):
    with caplog.at_level(logging.WARNING, logger="dsm_ros"):
        fitted = [fitted_camera(FULL, 317, 238) for _ in range(3)]
    assert fitted == [FULL.resized(317, 238)] * 3
    assert len(caplog.records) == 1
    assert "images are 317x238 but camera_info is for 640x480: the calibration is scaled" in caplog.text
