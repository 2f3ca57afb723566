"""Pose from correspondences by PoseLib (LO-RANSAC), and the arguments of PoseLib's functions."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44, make_pose

try:
    import poselib
except ImportError:
    poselib = None

MIN_POINTS = 4
# RANSAC stops when, with a probability of success_prob, at least one sample contained no outlier. With max_iterations,
# this probability is 99 % if a tenth of the correspondences agree, the smallest share that verification accepts.
# PoseLib's default limits take three times as long and find no more inliers.
ITERATIONS = {"min_iterations": 50, "max_iterations": 5000, "success_prob": 0.999, "dyn_num_trials_mult": 1.0}
# A step of step_tol moves the pose by less than 0.1 mm. PoseLib's default step_tol of 1e-8 needs more than twice as
# many steps.
LOSS_SCALE_PX = 3.0  # about the standard deviation of a good coordinate
REFINEMENT = {"loss_type": "CAUCHY", "loss_scale": LOSS_SCALE_PX, "step_tol": 1e-5}


def estimate_poselib(
    pixels_N2: NDArray[np.float64], points_N3: NDArray[np.float64], camera: Camera, max_error_px: float, seed: int
) -> Pose44 | None:
    """Return camera_T_map by LO-RANSAC, refined on its inliers; None when fewer than four agree."""
    ransac = {"max_reproj_error": max_error_px, "seed": seed, **ITERATIONS}
    pose, info = poselib.estimate_absolute_pose(pixels_N2, points_N3, poselib_camera(camera), ransac, REFINEMENT)
    return make_pose(pose.R, pose.t) if info["num_inliers"] >= MIN_POINTS else None


def refine_poselib(
    camera_T_map: Pose44,
    pixels_N2: NDArray[np.float64],
    points_N3: NDArray[np.float64],
    camera: Camera,
    step_tolerance: float,
    loss_scale_px: float,
) -> Pose44:
    """Refine camera_T_map on correspondences under a robust loss.

    step_tolerance: length of the last step, m and rad.
    """
    start = poselib_pose(camera_T_map)
    options = {**REFINEMENT, "step_tol": step_tolerance, "loss_scale": loss_scale_px}
    pose, _ = poselib.refine_absolute_pose(pixels_N2, points_N3, start, poselib_camera(camera), options)
    return make_pose(pose.R, pose.t)


def poselib_pose(b_T_a: Pose44) -> Any:
    """Return a transform as PoseLib's ``CameraPose``."""
    pose = poselib.CameraPose()
    pose.R, pose.t = b_T_a[:3, :3], b_T_a[:3, 3]
    return pose


def poselib_camera(camera: Camera) -> dict[str, Any]:
    """Return an undistorted camera as PoseLib's dictionary."""
    params = [camera.fx, camera.fy, camera.cx, camera.cy]
    return {"model": "PINHOLE", "width": camera.width_px, "height": camera.height_px, "params": params}
