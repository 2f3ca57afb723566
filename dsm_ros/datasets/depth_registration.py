"""Move a depth image into the view of the colour camera beside it."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44, transform


def register_depth(
    depth_HW: NDArray[np.float32], depth_camera: Camera, colour_camera: Camera, colour_T_depth: Pose44
) -> NDArray[np.float32]:
    """Return the depth (m, along the colour camera's z) at each colour pixel, the nearest surface; 0 = unknown.

    Each depth pixel is warped forward to one colour pixel; single pixels that none hits take the median of
    their known neighbours, larger holes stay unknown.
    """
    v_N, u_N = np.nonzero(depth_HW > 0)
    rays_N3 = depth_camera.unproject(np.stack([u_N, v_N], axis=1))
    points_N3 = transform(colour_T_depth, rays_N3 * depth_HW[v_N, u_N, None])
    pixels_N2 = np.nan_to_num(colour_camera.project(points_N3), nan=-1.0)
    u_N, v_N = np.rint(pixels_N2).astype(int).T
    inside_N = (u_N >= 0) & (u_N < colour_camera.width_px) & (v_N >= 0) & (v_N < colour_camera.height_px)
    index_N, z_N = (v_N * colour_camera.width_px + u_N)[inside_N], points_N3[inside_N, 2]
    order_N = np.argsort(-z_N)  # the nearest is written last and stays
    warped = np.zeros(colour_camera.height_px * colour_camera.width_px, np.float32)
    warped[index_N[order_N]] = z_N[order_N]
    return fill_single_pixels(warped.reshape(colour_camera.height_px, colour_camera.width_px))


def fill_single_pixels(depth_HW: NDArray[np.float32]) -> NDArray[np.float32]:
    """Fill unknown pixels most of whose 3x3 neighbours are known with a neighbour's depth."""
    known_HW = (depth_HW > 0).astype(np.uint8)
    neighbours_HW = cv2.boxFilter(known_HW, cv2.CV_16U, (3, 3), normalize=False)
    fill_HW = (known_HW == 0) & (neighbours_HW >= 5)
    return np.where(fill_HW, cv2.medianBlur(depth_HW, 3), depth_HW)
