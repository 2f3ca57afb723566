"""Registration of depth images: reprojection from the depth camera to the colour camera."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44, invert

MAX_SURFACE_STEP = 0.03  # maximum relative depth difference between neighbouring pixels of one surface
MIN_DEPTH_M = 0.01
MAX_FOOTPRINT_PX = 8
OUTSIDE_PX = -9.0


def register_depth(
    depth_HW: NDArray[np.float32], depth_camera: Camera, colour_camera: Camera, colour_T_depth: Pose44
) -> NDArray[np.float32]:
    """Return the depth (H, W; m along the colour camera's z, 0 = unknown) of the nearest surface at each colour pixel.

    depth_HW: m along the depth camera's z, at the depth camera's image size, 0 = unknown. First, each depth pixel is
    warped forward to all colour pixels that it may cover. Then each colour pixel is projected back into the depth
    image and reads its depth there; the depth is discarded when the depth image shows another surface. Single
    pixels without depth are filled from their neighbours.
    """
    nearest_HW = _warp(depth_HW, depth_camera, colour_camera, colour_T_depth)
    return fill_single_pixels(_read_back(nearest_HW, depth_HW, depth_camera, colour_camera, colour_T_depth))


def fill_single_pixels(depth_HW: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fill unknown pixels that have at least 5 known neighbours in 3x3 with the median depth."""
    known_HW = (depth_HW > 0).astype(np.uint8)
    neighbours_HW = cv2.boxFilter(known_HW, cv2.CV_16U, (3, 3), normalize=False)
    fill_HW = (known_HW == 0) & (neighbours_HW >= 5)
    return np.where(fill_HW, cv2.medianBlur(depth_HW, 3), depth_HW)


def _warp(
    depth_HW: NDArray[np.float32], depth_camera: Camera, colour_camera: Camera, colour_T_depth: Pose44
) -> NDArray[np.float32]:
    """Return the smallest depth that may cover each colour pixel, 0 for colour pixels that no depth pixel covers."""
    points_N3 = _points(depth_camera, depth_HW, colour_T_depth)
    pixels_N2 = colour_camera.project(points_N3)
    usable_N = np.isfinite(pixels_N2).all(axis=1) & (points_N3[:, 2] > MIN_DEPTH_M) & (depth_HW.ravel() > 0)
    size = _footprint_px(depth_camera, colour_camera)
    corner_N2 = np.ceil(np.clip(pixels_N2[usable_N], -1e6, 1e6) - size / 2).astype(np.int64)
    z_N = points_N3[usable_N, 2].astype(np.float32)
    order_N = np.argsort(-z_N)  # nearer points overwrite farther ones
    return _splat(corner_N2[order_N], z_N[order_N], size, (colour_camera.height_px, colour_camera.width_px))


def _footprint_px(depth_camera: Camera, colour_camera: Camera) -> int:
    """Return the number of colour pixels that a depth pixel may cover per axis, with a margin for slanted surfaces."""
    scale = max(colour_camera.fx / depth_camera.fx, colour_camera.fy / depth_camera.fy)
    return int(np.clip(np.ceil(scale + 0.5), 1, MAX_FOOTPRINT_PX))


def _splat(
    corner_N2: NDArray[np.int64], z_N: NDArray[np.float32], size: int, shape: tuple[int, int]
) -> NDArray[np.float32]:
    """Return for each pixel the smallest depth of the squares that cover it (``size`` px wide); z_N is descending."""
    height, width = shape
    inside_N = ((corner_N2 > -size) & (corner_N2 < (width, height))).all(axis=1)
    u_N, v_N = corner_N2[inside_N].T
    padded = np.full((height + 2 * size, width + 2 * size), np.inf, np.float32)
    padded.ravel()[(v_N + size) * (width + 2 * size) + u_N + size] = z_N[inside_N]
    kernel = np.ones((size, size), np.uint8)
    nearest_HW = cv2.erode(padded, kernel, anchor=(size - 1, size - 1), borderValue=np.inf)
    nearest_HW = nearest_HW[size : size + height, size : size + width]
    return np.where(np.isfinite(nearest_HW), nearest_HW, np.float32(0))


def _read_back(
    nearest_HW: NDArray[np.float32],
    depth_HW: NDArray[np.float32],
    depth_camera: Camera,
    colour_camera: Camera,
    colour_T_depth: Pose44,
) -> NDArray[np.float32]:
    """Return the depth at each colour pixel's point in the depth image, 0 if the depth image shows another surface."""
    points_N3 = _points(colour_camera, nearest_HW, invert(colour_T_depth))
    pixels_HW2 = depth_camera.project(points_N3).astype(np.float32).reshape(*nearest_HW.shape, 2)
    surface_HW = _sample(depth_HW, np.nan_to_num(pixels_HW2, nan=OUTSIDE_PX))
    along_N = (points_N3 @ colour_T_depth[2, :3]) / np.maximum(points_N3[:, 2], MIN_DEPTH_M)
    z_HW = surface_HW * along_N.reshape(nearest_HW.shape).astype(np.float32) + np.float32(colour_T_depth[2, 3])
    agrees_HW = (surface_HW > 0) & (np.abs(z_HW - nearest_HW) < MAX_SURFACE_STEP * z_HW)
    return np.where(agrees_HW, z_HW, np.float32(0))


def _sample(depth_HW: NDArray[np.float32], pixels_HW2: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the depth at pixels; 1 / z is interpolated within a surface, because 1 / z is linear on planes."""
    kernel = np.ones((3, 3), np.uint8)
    within_HW = cv2.dilate(depth_HW, kernel) - cv2.erode(depth_HW, kernel) < MAX_SURFACE_STEP * depth_HW
    inverse_HW = np.where(depth_HW > 0, 1 / np.maximum(depth_HW, 1e-6), 0).astype(np.float32)
    smooth_HW = _lookup(within_HW.astype(np.float32), pixels_HW2, cv2.INTER_NEAREST)
    nearest_HW = _lookup(depth_HW, pixels_HW2, cv2.INTER_NEAREST)
    linear_HW = _lookup(inverse_HW, pixels_HW2, cv2.INTER_LINEAR)
    return np.where(smooth_HW > 0, 1 / np.maximum(linear_HW, 1e-6), nearest_HW)


def _lookup(image_HW: NDArray[np.float32], pixels_HW2: NDArray[np.float32], how: int) -> NDArray[np.float32]:
    return cv2.remap(image_HW, pixels_HW2, None, how, borderMode=cv2.BORDER_CONSTANT, borderValue=0)


def _points(camera: Camera, depth_HW: NDArray[np.float32], other_T_camera: Pose44) -> NDArray[np.float64]:
    """Return the point (N, 3) of each pixel in frame ``other``; pixels of depth 0 give the camera's origin."""
    return _turned_rays(camera, other_T_camera[:3, :3].tobytes()) * depth_HW.reshape(-1, 1) + other_T_camera[:3, 3]


@lru_cache(maxsize=4)  # the rotation between the cameras of one rig rarely changes
def _turned_rays(camera: Camera, rotation: bytes) -> NDArray[np.float64]:
    v_HW, u_HW = np.mgrid[0 : camera.height_px, 0 : camera.width_px]
    rays_N3 = camera.unproject(np.stack([u_HW.ravel(), v_HW.ravel()], axis=1).astype(np.float64))
    return rays_N3 @ np.ascontiguousarray(np.frombuffer(rotation).reshape(3, 3).T)
