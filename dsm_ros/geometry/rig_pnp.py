"""One pose of several cameras that are fixed to each other, by generalised RANSAC and refinement (PoseLib)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsm_ros.errors import DsmError
from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pnp import MIN_POINTS, REFINEMENT, poselib_camera
from dsm_ros.geometry.pose import Pose44, invert, make_pose

try:
    import poselib
except ImportError:
    poselib = None

# Enough to find a pose, with 99 % certainty, that a tenth of all correspondences agree with: half of the least share
# that is accepted, for one of two cameras may be covered. PoseLib's own limit takes seconds where there is no pose.
MAX_ITERATIONS = 5000


@dataclass(frozen=True)
class CameraPoints:
    """What one camera of a rig sees where: pixels of an undistorted pinhole, points in metres in the map frame."""

    pixels_N2: NDArray[np.float64]
    points_N3: NDArray[np.float64]
    camera: Camera
    rig_T_camera: Pose44


def require_solver() -> None:
    """Raise DsmError where PoseLib is missing: OpenCV has no solver for rigs."""
    if poselib is None:
        raise DsmError("several cameras need PoseLib, which has no wheel for this machine; build it, or use one camera")


def solve_rig_pnp(seen: Sequence[CameraPoints], max_error_px: float, seed: int = 0) -> Pose44 | None:
    """Return map_T_rig, the pose that most correspondences of all cameras agree with; None when there is none."""
    require_solver()
    finite = [np.isfinite(one.pixels_N2).all(1) & np.isfinite(one.points_N3).all(1) for one in seen]
    pixels = [one.pixels_N2[finite_N] for one, finite_N in zip(seen, finite, strict=True)]
    points = [one.points_N3[finite_N] for one, finite_N in zip(seen, finite, strict=True)]
    if sum(map(len, points)) < MIN_POINTS:
        return None
    origin_3 = np.median(np.concatenate(points), axis=0)  # solvers lose digits far from the origin
    pose, info = poselib.estimate_generalized_absolute_pose(
        pixels,
        [points_N3 - origin_3 for points_N3 in points],
        [_extrinsics(one.rig_T_camera) for one in seen],
        [poselib_camera(one.camera) for one in seen],
        {"max_reproj_error": max_error_px, "seed": seed, "max_iterations": MAX_ITERATIONS},
        REFINEMENT,
    )
    rig_T_local = make_pose(pose.R, pose.t)
    if info["num_inliers"] < MIN_POINTS or not np.isfinite(rig_T_local).all():
        return None
    return make_pose(np.eye(3), origin_3) @ invert(rig_T_local)


def _extrinsics(rig_T_camera: Pose44) -> object:
    camera_T_rig = invert(rig_T_camera)
    pose = poselib.CameraPose()
    pose.R, pose.t = camera_T_rig[:3, :3], camera_T_rig[:3, 3]
    return pose
