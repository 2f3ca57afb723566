"""Bring images and depth maps of any camera to a pinhole image of the network's size."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.camera import Camera

SIDE_MULTIPLE_PX = 32
OUTSIDE_PX = -10.0


def pinhole_of_size(camera: Camera, long_side_px: int) -> Camera:
    """Return the undistorted camera resized so that its long side fits; sides are multiples of 32."""
    scale = long_side_px / max(camera.width_px, camera.height_px)
    width, height = (
        max(SIDE_MULTIPLE_PX, round(side * scale / SIDE_MULTIPLE_PX) * SIDE_MULTIPLE_PX)
        for side in (camera.width_px, camera.height_px)
    )
    return camera.undistorted().resized(width, height)


def rectify_image(image_HW3: NDArray[np.uint8], camera: Camera, target: Camera) -> NDArray[np.uint8]:
    """Resample an image to the pinhole ``target``, averaging areas when it shrinks; black where nothing was seen.

    Raises ValueError when the image has another size than its camera.
    """
    check_size(image_HW3, camera)
    size = (target.width_px, target.height_px)
    interpolation = cv2.INTER_AREA if target.width_px < camera.width_px else cv2.INTER_LINEAR
    resized = cv2.resize(image_HW3, size, interpolation=interpolation)
    if camera.distortion_model != "none":
        maps = undistortion_maps(camera.resized(*size), target)
        resized = cv2.remap(resized, *maps, cv2.INTER_LINEAR)
    return np.ascontiguousarray(resized, dtype=np.uint8)


def rectify_depth(depth_HW: NDArray[np.float32], camera: Camera, target: Camera) -> NDArray[np.float32]:
    """Resample a depth map (m, along z) to the pinhole ``target``: nearest values, never mixed."""
    check_size(depth_HW, camera)
    u_map, v_map = undistortion_maps(camera, target)
    return np.asarray(cv2.remap(depth_HW, u_map, v_map, cv2.INTER_NEAREST), dtype=np.float32)


def check_size(image: NDArray[np.generic], camera: Camera) -> None:
    """Raise ValueError unless the array has the camera's height and width."""
    if image.shape[:2] != (camera.height_px, camera.width_px):
        raise ValueError(
            f"image is {image.shape[1]}x{image.shape[0]} but its camera is {camera.width_px}x{camera.height_px}"
        )


@lru_cache(maxsize=8)
def undistortion_maps(camera: Camera, target: Camera) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return for each pixel of ``target`` where ``camera`` saw its ray, (u, v) in px; outside where it did not."""
    v_HW, u_HW = np.mgrid[0 : target.height_px, 0 : target.width_px]
    rays_N3 = target.unproject(np.stack([u_HW.ravel(), v_HW.ravel()], axis=1))
    pixels_N2 = np.nan_to_num(camera.project(rays_N3), nan=OUTSIDE_PX)  # cv2.remap takes NaN for some pixel
    pixels_HW2 = pixels_N2.reshape(target.height_px, target.width_px, 2).astype(np.float32)
    return np.ascontiguousarray(pixels_HW2[..., 0]), np.ascontiguousarray(pixels_HW2[..., 1])
