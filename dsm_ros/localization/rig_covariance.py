"""Covariance of the pose of a rig: what all its cameras tell, carried to the rig's origin."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.pnp import reprojection_errors
from dsm_ros.geometry.pose import Pose44
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.covariance import covariance_of, deviation_px, pose_information, skew
from dsm_ros.localization.sight import Sight


def rig_covariance(
    placed: Sequence[Sight], map_T_rig: Pose44, seeing_share: float, config: LocalizerConfig
) -> NDArray[np.float64]:
    """Return the 6x6 covariance of a rig's pose from the inliers of its cameras, each placed by that pose.

    seeing_share: of the cells of all cameras that should see the map, how many agree.
    """
    seen = [
        (sight.attempt, sight.query.camera, sight.attempt.pnp.map_T_camera) for sight in placed if sight.attempt.pnp
    ]
    errors = [
        reprojection_errors(attempt.inlier_pixels_N2, attempt.inlier_points_N3, camera, map_T_camera)
        for attempt, camera, map_T_camera in seen
    ]
    sigma_px = deviation_px(np.concatenate(errors), seeing_share, config)
    information_66 = np.zeros((6, 6))
    for attempt, camera, map_T_camera in seen:
        movement_66 = movement(map_T_rig, map_T_camera)
        camera_66 = pose_information(attempt.inlier_points_N3, camera, map_T_camera, sigma_px)
        information_66 += movement_66.T @ camera_66 @ movement_66
    return covariance_of(information_66)


def moved_covariance(
    covariance_66: NDArray[np.float64], map_T_camera: Pose44, map_T_rig: Pose44
) -> NDArray[np.float64]:
    """Return the covariance of a rig's pose for that of one of its cameras."""
    movement_66 = movement(map_T_camera, map_T_rig)
    return np.asarray(movement_66 @ covariance_66 @ movement_66.T)


def movement(map_T_a: Pose44, map_T_b: Pose44) -> NDArray[np.float64]:
    """Return the 6x6 matrix that turns a small movement of a into that of b, which is fixed to it.

    A movement is a shift and a turn about fixed map axes at the frame's own origin.
    """
    movement_66 = np.eye(6)
    movement_66[:3, 3:] = -skew((map_T_b[:3, 3] - map_T_a[:3, 3])[None])[0]
    return movement_66
