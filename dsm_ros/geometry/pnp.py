"""Pose from 2D-3D correspondences by RANSAC and refinement [paper 3.1; method 7].

PoseLib (LO-RANSAC) is the solver if PoseLib is installed. Otherwise OpenCV's USAC is the solver, because PoseLib has no
aarch64 wheel.
"""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.opencv_pnp import estimate_opencv, refine_opencv
from dsm_ros.geometry.pose import Pose44, invert, make_pose, transform
from dsm_ros.geometry.poselib_pnp import LOSS_SCALE_PX, MIN_POINTS, estimate_poselib, refine_poselib

try:
    import poselib
except ImportError:
    poselib = None

# Last step (m, rad) and maximum number of correspondences of two refinements. The first refinement only finds the
# inliers of the second.
REFINEMENTS = (1e-4, 500), (1e-5, None)


def solve_pnp(
    pixels_N2: NDArray[np.float64], points_N3: NDArray[np.float64], camera: Camera, max_error_px: float, seed: int = 0
) -> Pose44 | None:
    """Return map_T_camera, the pose that most correspondences agree with, or None when no pose has four inliers.

    pixels_N2: px of ``camera``, an undistorted pinhole. points_N3: metres, map frame. Rows that are not finite are
    ignored. Raises ValueError when the camera has distortion.
    """
    if camera.distortion_model != "none":
        raise ValueError("PnP needs the pixels of an undistorted camera; rectify the image first")
    finite_N = np.isfinite(pixels_N2).all(1) & np.isfinite(points_N3).all(1)
    if finite_N.sum() < MIN_POINTS:
        return None
    origin_3 = np.median(points_N3[finite_N], axis=0)  # solvers lose precision far from the origin
    estimate = estimate_poselib if poselib else estimate_opencv
    camera_T_local = estimate(pixels_N2[finite_N], points_N3[finite_N] - origin_3, camera, max_error_px, seed)
    if camera_T_local is None or not np.isfinite(camera_T_local).all():
        return None
    return make_pose(np.eye(3), origin_3) @ invert(camera_T_local)


def refine_pnp(
    map_T_camera: Pose44,
    pixels_N2: NDArray[np.float64],
    points_N3: NDArray[np.float64],
    camera: Camera,
    max_error_px: float,
    loss_scale_px: float = LOSS_SCALE_PX,
) -> Pose44 | None:
    """Refine map_T_camera on its inliers, or return None when map_T_camera has fewer than four inliers.

    pixels_N2: px of ``camera``, an undistorted pinhole. points_N3: metres, map frame; the most reliable points should
    come first. loss_scale_px: scale of PoseLib's robust loss, about the standard deviation of a good correspondence;
    OpenCV has no robust loss.
    """
    refine = partial(refine_poselib, loss_scale_px=loss_scale_px) if poselib else refine_opencv
    for step_tolerance, count in REFINEMENTS:
        few = pixels_N2[:count], points_N3[:count]
        near_N = reprojection_errors(*few, camera, map_T_camera) < max_error_px
        if near_N.sum() < MIN_POINTS:
            return None
        near_M2, near_M3 = (rows_N[near_N] for rows_N in few)
        map_T_local = make_pose(np.eye(3), np.median(near_M3, axis=0))
        camera_T_local = invert(map_T_camera) @ map_T_local
        near = near_M2, near_M3 - map_T_local[:3, 3]
        refined = refine(camera_T_local, *near, camera, step_tolerance)
        if not np.isfinite(refined).all():
            return None
        map_T_camera = map_T_local @ invert(refined)
    return map_T_camera


def reprojection_errors(
    pixels_N2: NDArray[np.float64], points_N3: NDArray[np.float64], camera: Camera, map_T_camera: Pose44
) -> NDArray[np.float64]:
    """Return the distance in px of each pixel from its point's projection; inf behind the camera."""
    with np.errstate(invalid="ignore"):
        errors_N = np.linalg.norm(project_points(points_N3, camera, map_T_camera) - pixels_N2, axis=1)
    return np.where(np.isfinite(errors_N), errors_N, np.inf)


def project_points(points_N3: NDArray[np.float64], camera: Camera, map_T_camera: Pose44) -> NDArray[np.float64]:
    """Return the pixels (N, 2) at which a camera at a pose sees points (m, map frame); NaN behind the camera."""
    with np.errstate(invalid="ignore"):  # no warning for a point at infinity, which has no projection
        return camera.project(transform(invert(map_T_camera), points_N3))
