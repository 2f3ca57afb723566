"""Pose of a rig of cameras from the correspondences of all its cameras, by generalised RANSAC (PoseLib)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsm_ros.errors import DsmError
from dsm_ros.geometry.correspondences import Correspondences
from dsm_ros.geometry.pnp import reprojection_errors
from dsm_ros.geometry.pose import Pose44, invert, make_pose
from dsm_ros.geometry.poselib_pnp import (
    ITERATIONS,
    LOSS_SCALE_PX,
    MIN_POINTS,
    REFINEMENT,
    poselib_camera,
    poselib_pose,
)

try:
    import poselib
except ImportError:
    poselib = None


def require_solver() -> None:
    """Raise DsmError where PoseLib is missing, because OpenCV has no solver for rigs."""
    if poselib is None:
        raise DsmError(
            "several cameras need PoseLib, which has no wheel for this machine; build it from source or use one camera"
        )


def solve_rig_pnp(cameras: Sequence[Correspondences], max_error_px: float, seed: int = 0) -> Pose44 | None:
    """Return map_T_rig, the pose that most correspondences of all cameras agree with, or None if RANSAC finds no pose.

    Raises DsmError where PoseLib is missing.
    """
    require_solver()
    finite = [each.chosen(_finite(each.pixels_N2) & _finite(each.points_N3)) for each in cameras]
    if sum(map(len, finite)) < MIN_POINTS:
        return None
    problem = _Problem(finite)
    ransac = {"max_reproj_error": max_error_px, "seed": seed, **ITERATIONS}
    pose, info = poselib.estimate_generalized_absolute_pose(
        problem.pixels, problem.local_points, problem.extrinsics, problem.cameras, ransac, REFINEMENT
    )
    return problem.map_T_rig(pose) if info["num_inliers"] >= MIN_POINTS else None


def refine_rig_pose(
    map_T_rig: Pose44, cameras: Sequence[Correspondences], max_error_px: float, loss_scale_px: float = LOSS_SCALE_PX
) -> Pose44:
    """Refine map_T_rig on its inliers, or return map_T_rig unchanged when it has fewer than four inliers.

    loss_scale_px: scale of the robust loss, about the standard deviation of a good correspondence.
    """
    inliers = [each.chosen(_errors(each, map_T_rig) < max_error_px) for each in cameras]
    if sum(map(len, inliers)) < MIN_POINTS:
        return map_T_rig
    problem, options = _Problem(inliers), {**REFINEMENT, "loss_scale": loss_scale_px}
    pose, _ = poselib.refine_generalized_absolute_pose(
        problem.pixels, problem.local_points, problem.local(map_T_rig), problem.extrinsics, problem.cameras, options
    )
    refined = problem.map_T_rig(pose)
    return map_T_rig if refined is None else refined


class _Problem:
    """Arguments of PoseLib's solvers in a frame near the points, because solvers lose precision far from the origin."""

    def __init__(self, cameras: Sequence[Correspondences]):
        origin_3 = np.median(np.concatenate([each.points_N3 for each in cameras]), axis=0)
        self._map_T_local = make_pose(np.eye(3), origin_3)
        self.pixels = [each.pixels_N2 for each in cameras]
        self.local_points = [each.points_N3 - origin_3 for each in cameras]
        self.extrinsics = [poselib_pose(invert(each.rig_T_camera)) for each in cameras]
        self.cameras = [poselib_camera(each.camera) for each in cameras]

    def local(self, map_T_rig: Pose44) -> Any:
        return poselib_pose(invert(map_T_rig) @ self._map_T_local)

    def map_T_rig(self, pose: Any) -> Pose44 | None:
        rig_T_local = make_pose(pose.R, pose.t)
        return self._map_T_local @ invert(rig_T_local) if np.isfinite(rig_T_local).all() else None


def _finite(values_NX: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.asarray(np.isfinite(values_NX).all(axis=1))


def _errors(found: Correspondences, map_T_rig: Pose44) -> NDArray[np.float64]:
    return reprojection_errors(found.pixels_N2, found.points_N3, found.camera, map_T_rig @ found.rig_T_camera)
