"""Rectification of images and depth maps of any camera to a pinhole image of the network's size."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.camera import Camera

SIDE_MULTIPLE_PX = 32
OUTSIDE_PX = -10.0  # coordinate outside every image, which cv2.remap fills with black
AREA_FROM = 2.0  # down to half the size, interpolation reads every pixel, in a fifth of the time of averages


def pinhole_of_size(camera: Camera, long_side_px: int) -> Camera:
    """Return the undistorted camera with a long side of about ``long_side_px``; both sides are multiples of 32 px."""
    scale = long_side_px / max(camera.width_px, camera.height_px)
    width, height = (
        max(SIDE_MULTIPLE_PX, round(side * scale / SIDE_MULTIPLE_PX) * SIDE_MULTIPLE_PX)
        for side in (camera.width_px, camera.height_px)
    )
    return camera.undistorted().resized(width, height)


def rectify_image(
    image_HW3: NDArray[np.uint8], camera: Camera, target: Camera, area_from: float = 1.0
) -> NDArray[np.uint8]:
    """Return an image resampled to the pinhole ``target``, black outside the field of view of ``camera``.

    area_from: an image that becomes smaller by more than this factor contains averages of pixel areas. Other images are
    interpolated. Raises ValueError when the image and its camera differ in size.
    """
    check_size(image_HW3, camera)
    size = (target.width_px, target.height_px)
    shrinking = max(camera.width_px / target.width_px, camera.height_px / target.height_px)
    interpolation = cv2.INTER_AREA if shrinking > area_from else cv2.INTER_LINEAR
    resized = cv2.resize(image_HW3, size, interpolation=interpolation)
    if camera.distortion_model != "none":
        maps = undistortion_maps(camera.resized(*size), target)
        resized = cv2.remap(resized, *maps, cv2.INTER_LINEAR)
    return np.ascontiguousarray(resized, dtype=np.uint8)


def rectify_depth(depth_HW: NDArray[np.float32], camera: Camera, target: Camera) -> NDArray[np.float32]:
    """Return a depth map (m, along z) resampled to the pinhole ``target`` by nearest neighbour.

    Raises ValueError when the depth map and its camera differ in size.
    """
    check_size(depth_HW, camera)
    u_map, v_map = undistortion_maps(camera, target)
    return np.asarray(cv2.remap(depth_HW, u_map, v_map, cv2.INTER_NEAREST), dtype=np.float32)


def require_rgb(image_HW3: NDArray[np.generic]) -> None:
    """Raise ValueError unless an image is uint8 RGB (H, W, 3)."""
    if image_HW3.dtype != np.uint8 or image_HW3.shape[2:] != (3,):
        raise ValueError(
            f"the image is {image_HW3.dtype} of shape {image_HW3.shape}; convert the image to uint8 RGB (H, W, 3)"
        )


def check_size(image: NDArray[np.generic], camera: Camera) -> None:
    """Raise ValueError unless an image has the height and width of its camera."""
    if image.shape[:2] != (camera.height_px, camera.width_px):
        raise ValueError(
            f"the image is {image.shape[1]}x{image.shape[0]} pixels but its camera is "
            f"{camera.width_px}x{camera.height_px}; use the calibration of this image size"
        )


@lru_cache(maxsize=8)
def undistortion_maps(camera: Camera, target: Camera) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the pixel (u, v) of ``camera`` that each pixel of ``target`` shows, as two maps (H, W) for cv2.remap.

    Pixels outside the field of view of ``camera`` are ``OUTSIDE_PX``.
    """
    v_HW, u_HW = np.mgrid[0 : target.height_px, 0 : target.width_px]
    rays_N3 = target.unproject(np.stack([u_HW.ravel(), v_HW.ravel()], axis=1))
    pixels_N2 = np.nan_to_num(camera.project(rays_N3), nan=OUTSIDE_PX)  # cv2.remap reads an arbitrary pixel for NaN
    pixels_HW2 = pixels_N2.reshape(target.height_px, target.width_px, 2).astype(np.float32)
    return np.ascontiguousarray(pixels_HW2[..., 0]), np.ascontiguousarray(pixels_HW2[..., 1])
