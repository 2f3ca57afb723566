"""Conversion of CameraInfo messages to cameras."""

from __future__ import annotations

from typing import Any

import numpy as np

from dsm_ros.geometry.camera import Camera

FOCAL_LENGTH_PER_WIDTH = (0.05, 50.0)
NEAR_CENTRE, MAX_STRETCH = 0.1, 2.0  # distance from the principal point, relative to the width; distortion there
MAX_OFF_CENTRE = 0.2  # relative to both sides; K of an image of half the size has its principal point at a quarter
REMEDY = "calibrate the camera again"


def camera_from_msg(message: Any) -> Camera:
    """Return the camera of the raw image that belongs to a CameraInfo, after ROI and binning (REP 104).

    The ROI is in pixels of the full resolution and is applied before binning; do_rectify concerns only rectified
    images. Raises ValueError for an uncalibrated camera, an unknown distortion model, and impossible or implausible
    numbers.
    """
    fx, cx, fy, cy = (float(_field(message, "k")[i]) for i in (0, 2, 4, 5))
    distortion = tuple(float(value) for value in _field(message, "d"))
    camera = _calibrated(message, (fx, fy, cx, cy), message.distortion_model, distortion)
    check_intrinsics(camera)
    check_distortion(camera)
    return _of_image(camera, message)


def rectified_camera_from_msg(message: Any) -> Camera:
    """Return the camera of the rectified image that belongs to a CameraInfo: P, without distortion (REP 104).

    D is ignored, because image_proc and stereo drivers send the raw image's CameraInfo with the rectified image.
    Raises ValueError for an uncalibrated camera, and for impossible or implausible numbers.
    """
    fx, cx, fy, cy = (float(_field(message, "p")[i]) for i in (0, 2, 5, 6))
    camera = _calibrated(message, (fx, fy, cx, cy), "none", ())
    check_intrinsics(camera, "P")
    return _of_image(camera, message)


def camera_of_image(message: Any, is_rectified: bool) -> Camera:
    """Return the camera of a raw or a rectified image.

    A rectified image with empty P and D uses K, because drivers of cameras without distortion may leave P empty.
    Raises ValueError for the same reasons as camera_from_msg and rectified_camera_from_msg.
    """
    is_p_needed = is_rectified and (any(_field(message, "p")) or any(_field(message, "d")))
    return rectified_camera_from_msg(message) if is_p_needed else camera_from_msg(message)


def check_intrinsics(camera: Camera, matrix: str = "K") -> None:
    """Raise ValueError when the intrinsics of a full sensor, before ROI and binning, do not fit its image size.

    matrix: the name of the matrix in the error message, K or P.
    """
    size, point = f"{camera.width_px}x{camera.height_px}", f"principal point ({camera.cx:g}, {camera.cy:g})"
    shortest_px, longest_px = (share * camera.width_px for share in FOCAL_LENGTH_PER_WIDTH)
    if min(camera.fx, camera.fy) < shortest_px:
        focal = f"focal lengths {camera.fx:g} and {camera.fy:g} px of a {size} image"
        raise ValueError(f"{matrix} seems to be in normalised units ({focal}); {REMEDY}")
    if max(camera.fx, camera.fy) > longest_px:
        focal = f"focal lengths {camera.fx:g} and {camera.fy:g} px"
        raise ValueError(f"{matrix} is for another image size than {size} ({focal}); {REMEDY}")
    if camera.cx == camera.cy == 0:
        raise ValueError(f"{matrix} has its {point} in the corner of the {size} image; {REMEDY}")
    across, down = camera.cx / camera.width_px - 0.5, camera.cy / camera.height_px - 0.5
    if max(abs(across), abs(down)) > 0.5:
        raise ValueError(f"{matrix} is for another image size than {size} ({point} is outside); {REMEDY}")
    if min(across, down) > MAX_OFF_CENTRE or max(across, down) < -MAX_OFF_CENTRE:
        raise ValueError(f"{matrix} is for another image size than {size} ({point} is near a corner); {REMEDY}")


def check_distortion(camera: Camera) -> None:
    """Raise ValueError when the distortion is strong near the principal point, where all lenses distort little."""
    near_px = NEAR_CENTRE * camera.width_px
    directions_42 = np.array([[1, 0], [0, 1], [-1, 0], [0, -1]])
    rays_43 = np.column_stack([directions_42 * near_px / (camera.fx, camera.fy), np.ones(4)])
    shifts_px = np.hypot(*(camera.project(rays_43) - (camera.cx, camera.cy)).T)
    if not ((shifts_px < near_px * MAX_STRETCH) & (shifts_px > near_px / MAX_STRETCH)).all():  # NaN out of view
        numbers = ", ".join(f"{value:g}" for value in camera.distortion)
        raise ValueError(f"D ({numbers}) distorts the centre of the image more than any lens does; {REMEDY}")


def _field(message: Any, name: str) -> Any:
    """Return k, d or p of a CameraInfo; ROS 1 names these fields K, D and P."""
    return getattr(message, name) if hasattr(message, name) else getattr(message, name.upper())


def _calibrated(
    message: Any, intrinsics: tuple[float, float, float, float], model: str, distortion: tuple[float, ...]
) -> Camera:
    if intrinsics[0] == 0:
        raise ValueError("the camera is not calibrated; run camera_calibration and load its result in the driver")
    return Camera(message.width, message.height, *intrinsics, model, distortion)


def _of_image(camera: Camera, message: Any) -> Camera:
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
        size = f"{camera.width_px}x{camera.height_px}"
        raise ValueError(f"binning {across}x{down} is larger than the {size} image; check the camera driver")
    return camera.cropped(0, 0, width * across, height * down).resized(width, height)  # binning drops the remainder


def camera_of_size(camera: Camera, width_px: int, height_px: int) -> Camera:
    """Return the camera scaled to an image size.

    Raises ValueError when the aspect ratio differs, because the image was then cropped in an unknown way.
    """
    old_px, new_px = (camera.width_px, camera.height_px), (width_px, height_px)
    if old_px == new_px:
        return camera
    rounding_px = max(sum(old_px), sum(new_px)) / 2  # half a pixel per side
    if abs(camera.width_px * height_px - camera.height_px * width_px) > rounding_px:
        raise ValueError(f"{sizes_differ(camera, width_px, height_px)}; publish a camera_info for this image size")
    return camera.resized(width_px, height_px)


def sizes_differ(camera: Camera, width_px: int, height_px: int) -> str:
    """Return a sentence saying that the images have another size than the camera_info after ROI and binning."""
    return f"images are {width_px}x{height_px} but camera_info is for {camera.width_px}x{camera.height_px}"
