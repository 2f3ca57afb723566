"""Pose from correspondences by OpenCV, for machines without a PoseLib wheel (aarch64)."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44, make_pose
from dsm_ros.geometry.poselib_pnp import MIN_POINTS

MAX_ITERATIONS = 20
STEP_TOLERANCE = 1e-7  # relative length of the last step, after RANSAC


def estimate_opencv(
    pixels_N2: NDArray[np.float64], points_N3: NDArray[np.float64], camera: Camera, max_error_px: float, seed: int
) -> Pose44 | None:
    """Return camera_T_map by OpenCV's USAC (MSAC scoring, local optimisation), refined on its inliers.

    The arguments are those of ``solve_pnp``. Returns None when fewer than four correspondences agree with a pose.
    """
    params = cv2.UsacParams()
    params.threshold, params.maxIterations, params.confidence = max_error_px, 1000, 0.999
    params.score, params.loMethod, params.randomGeneratorState = cv2.SCORE_METHOD_MSAC, cv2.LOCAL_OPTIM_INNER_LO, seed
    found, _, rotation, translation, inliers = cv2.solvePnPRansac(
        points_N3, pixels_N2, camera.matrix_33, np.empty(0), params=params
    )
    if not found or inliers is None or len(inliers) < MIN_POINTS:
        return None
    chosen = inliers.ravel()
    camera_T_map = make_pose(cv2.Rodrigues(rotation)[0], translation.ravel())
    return refine_opencv(camera_T_map, pixels_N2[chosen], points_N3[chosen], camera, STEP_TOLERANCE)


def refine_opencv(
    camera_T_map: Pose44,
    pixels_N2: NDArray[np.float64],
    points_N3: NDArray[np.float64],
    camera: Camera,
    step_tolerance: float,
) -> Pose44:
    """Refine camera_T_map to the smallest squared reprojection error (Levenberg-Marquardt).

    step_tolerance: relative length of the last step.
    """
    start = cv2.Rodrigues(camera_T_map[:3, :3])[0], camera_T_map[:3, 3:].copy()
    until = cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_COUNT, MAX_ITERATIONS, step_tolerance
    rotation, translation = cv2.solvePnPRefineLM(points_N3, pixels_N2, camera.matrix_33, np.empty(0), *start, until)
    return make_pose(cv2.Rodrigues(rotation)[0], translation.ravel())
