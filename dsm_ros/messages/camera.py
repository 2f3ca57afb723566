"""Cameras of CameraInfo messages, and of the images that come with them."""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import Any

from dsm_ros.geometry.camera import Camera

logger = logging.getLogger(__name__)


def camera_from_msg(message: Any) -> Camera:
    """Return the camera of the raw image that was sent with a CameraInfo, after its ROI and binning (REP 104).

    ROI is in full resolution px and comes first; do_rectify is about rectified images.
    Raises ValueError for an uncalibrated camera, an unknown distortion model or impossible numbers.
    """
    fx, cx, fy, cy = (float(message.k[i]) for i in (0, 2, 4, 5))
    distortion = tuple(float(value) for value in message.d)
    return _of_image((fx, fy, cx, cy), message.distortion_model, distortion, message)


def rectified_camera_from_msg(message: Any) -> Camera:
    """Return the camera of the rectified image that was sent with a CameraInfo: P, without distortion (REP 104).

    image_proc and stereo drivers send the raw image's CameraInfo, D included, with the rectified image too.
    Raises ValueError for an uncalibrated camera or impossible numbers.
    """
    fx, cx, fy, cy = (float(message.p[i]) for i in (0, 2, 5, 6))
    return _of_image((fx, fy, cx, cy), "none", (), message)


def _of_image(
    intrinsics: tuple[float, float, float, float], model: str, distortion: tuple[float, ...], message: Any
) -> Camera:
    if intrinsics[0] == 0:
        raise ValueError("camera is uncalibrated: run camera_calibration and let the driver load what it writes")
    camera = Camera(message.width, message.height, *intrinsics, model, distortion)
    return _binned(_region(camera, message.roi), max(1, message.binning_x), max(1, message.binning_y))


def _region(camera: Camera, roi: Any) -> Camera:
    if not (roi.width or roi.height):
        return camera
    right, bottom = roi.x_offset + roi.width, roi.y_offset + roi.height
    if not (roi.width and roi.height) or right > camera.width_px or bottom > camera.height_px:
        region = f"{roi.width}x{roi.height} at ({roi.x_offset}, {roi.y_offset})"
        raise ValueError(f"ROI {region} is not within {camera.width_px}x{camera.height_px}; check the camera driver")
    return camera.cropped(roi.x_offset, roi.y_offset, roi.width, roi.height)


def _binned(camera: Camera, across: int, down: int) -> Camera:
    if across * down == 1:
        return camera
    width, height = camera.width_px // across, camera.height_px // down
    if not (width and height):
        raise ValueError(f"binning {across}x{down} leaves nothing of {camera.width_px}x{camera.height_px} pixels")
    return camera.cropped(0, 0, width * across, height * down).resized(width, height)  # what is left over is dropped


@lru_cache(maxsize=16)
def camera_of_size(camera: Camera, width_px: int, height_px: int) -> Camera:
    """Return the camera of an image of that size: itself, or scaled, and said once, for an image scaled evenly.

    Raises ValueError when the shape differs, for then the image was cut in an unknown way.
    """
    old_px, new_px = (camera.width_px, camera.height_px), (width_px, height_px)
    if old_px == new_px:
        return camera
    sizes = f"images are {width_px}x{height_px} but camera_info is of {camera.width_px}x{camera.height_px}"
    rounding_px = max(sum(old_px), sum(new_px)) / 2  # half a pixel per side
    if abs(camera.width_px * height_px - camera.height_px * width_px) > rounding_px:
        raise ValueError(f"{sizes} after ROI and binning; publish the camera_info of these images")
    logger.warning("%s: the calibration is scaled by %.3g", sizes, width_px / camera.width_px)
    return camera.resized(width_px, height_px)
