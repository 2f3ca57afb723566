"""Pose from 2D-3D correspondences by RANSAC and refinement [paper 3.1; DSM_FACTS 11.1].

PoseLib (LO-RANSAC) where it is installed, OpenCV's USAC where not (PoseLib has no aarch64 wheel).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44, invert, make_pose, transform

try:
    import poselib
except ImportError:
    poselib = None

MIN_POINTS = 4
REFINEMENT = {"loss_type": "CAUCHY", "loss_scale": 3.0}  # px: about the deviation of a good coordinate


@dataclass(frozen=True)
class PnpResult:
    """A pose and the correspondences (mask_N) that lie within the reprojection error of it."""

    map_T_camera: Pose44
    inliers_N: NDArray[np.bool_]


def solve_pnp(
    pixels_N2: NDArray[np.float64], points_N3: NDArray[np.float64], camera: Camera, max_error_px: float, seed: int = 0
) -> PnpResult | None:
    """Return the pose that most correspondences agree with, or None when there is none.

    pixels: of ``camera``, an undistorted pinhole. points: metres, map frame. Non-finite rows are never inliers.
    """
    if camera.distortion_model != "none":
        raise ValueError("PnP takes pixels of an undistorted camera; rectify them first")
    finite_N = np.isfinite(pixels_N2).all(1) & np.isfinite(points_N3).all(1)
    if finite_N.sum() < MIN_POINTS:
        return None
    origin_3 = np.median(points_N3[finite_N], axis=0)  # solvers lose digits far from the origin
    estimate = _estimate_poselib if poselib else estimate_opencv
    camera_T_local = estimate(pixels_N2[finite_N], points_N3[finite_N] - origin_3, camera, max_error_px, seed)
    if camera_T_local is None or not np.isfinite(camera_T_local).all():
        return None
    map_T_camera = make_pose(np.eye(3), origin_3) @ invert(camera_T_local)
    inliers_N = finite_N & (reprojection_errors(pixels_N2, points_N3, camera, map_T_camera) < max_error_px)
    return PnpResult(map_T_camera, inliers_N) if inliers_N.sum() >= MIN_POINTS else None


def reprojection_errors(
    pixels_N2: NDArray[np.float64], points_N3: NDArray[np.float64], camera: Camera, map_T_camera: Pose44
) -> NDArray[np.float64]:
    """Return the distance in px of each pixel from its point's projection; inf behind the camera."""
    with np.errstate(invalid="ignore"):  # a point at infinity is no inlier, and no reason to warn
        errors_N = np.linalg.norm(camera.project(transform(invert(map_T_camera), points_N3)) - pixels_N2, axis=1)
    return np.where(np.isfinite(errors_N), errors_N, np.inf)


def _estimate_poselib(
    pixels_N2: NDArray[np.float64], points_N3: NDArray[np.float64], camera: Camera, max_error_px: float, seed: int
) -> Pose44 | None:
    ransac = {"max_reproj_error": max_error_px, "seed": seed}
    pose, info = poselib.estimate_absolute_pose(pixels_N2, points_N3, poselib_camera(camera), ransac, REFINEMENT)
    return make_pose(pose.R, pose.t) if info["num_inliers"] >= MIN_POINTS else None


def poselib_camera(camera: Camera) -> dict[str, Any]:
    """Return an undistorted camera in PoseLib's words."""
    params = [camera.fx, camera.fy, camera.cx, camera.cy]
    return {"model": "PINHOLE", "width": camera.width_px, "height": camera.height_px, "params": params}


def estimate_opencv(
    pixels_N2: NDArray[np.float64], points_N3: NDArray[np.float64], camera: Camera, max_error_px: float, seed: int
) -> Pose44 | None:
    """Return camera_T_map by OpenCV's USAC (MSAC scoring, local optimisation), refined on its inliers."""
    params = cv2.UsacParams()
    params.threshold, params.maxIterations, params.confidence = max_error_px, 1000, 0.999
    params.score, params.loMethod, params.randomGeneratorState = cv2.SCORE_METHOD_MSAC, cv2.LOCAL_OPTIM_INNER_LO, seed
    found, _, rotation, translation, inliers = cv2.solvePnPRansac(
        points_N3, pixels_N2, camera.matrix_33, np.empty(0), params=params
    )
    if not found or inliers is None or len(inliers) < MIN_POINTS:
        return None
    chosen = inliers.ravel()
    rotation, translation = cv2.solvePnPRefineLM(
        points_N3[chosen], pixels_N2[chosen], camera.matrix_33, np.empty(0), rotation, translation
    )
    return make_pose(cv2.Rodrigues(rotation)[0], translation.ravel())
