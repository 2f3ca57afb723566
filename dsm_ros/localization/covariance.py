"""Covariance of a pose, from the inliers of all images and their reprojection errors [method 10].

The standard deviation of a correspondence is measured on the cells of the frame, so the covariance of a blurred image
or a sparse map is larger without a special rule. A visible cell, for which the map has a surface as seen from the pose,
counts even if the cell is not an inlier, because on blank walls the inliers alone would suggest a good fit. The errors
of neighbouring cells are correlated, because neighbouring cells are matched to the same keyframes. All inliers of one
patch of the image therefore count as one measurement.

The covariance describes the error against the map, in the middle of the exposure, of a calibrated camera. Errors of the
map, of timestamps and of the calibration leave no trace in a single image and are not included.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.correspondences import Correspondences
from dsm_ros.geometry.pnp import project_points
from dsm_ros.geometry.pose import Pose44, invert, transform
from dsm_ros.geometry.pose_covariance import movement
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.pose_estimation import PoseEstimate

# Side of a patch, px at the network's input size: the least whole number of cells (8 px) at which 95 % of the true
# errors lie inside the 95 % ellipsoid. Frames with motion blur are compared with the pose in the middle of exposure.
PATCH_PX = 24.0
MAX_COLUMNS = 2**32
# Error of a cell that contradicts a pose, in inlier limits. The value matters in rooms with blank walls, where 0.51,
# 0.72, 0.84 and 0.89 of the errors of unrefined poses are inside the ellipsoid at 1, 2, 3 and 4 limits; elsewhere 0.99
# are at any value.
DISSENT = 4.0
MIN_INFORMATION = 1e-4  # 1 / variance (m or rad) of a direction without any information
MIN_RELATIVE_INFORMATION = 1e-12  # minimum relative to the best known direction, limited by float64


def pose_covariance(
    estimates: Sequence[PoseEstimate], map_T_rig: Pose44, visible_inlier_ratio: float, config: LocalizerConfig
) -> NDArray[np.float64]:
    """Return the 6x6 covariance (x y z rotX rotY rotZ; map frame; m, rad) of the common pose of all images.

    visible_inlier_ratio: the share of the visible cells of all images that agree with the pose.
    """
    errors_N = np.concatenate([estimate.errors_N[estimate.inliers_N] for estimate in estimates])
    inliers = [estimate.correspondences.chosen(estimate.inliers_N) for estimate in estimates]
    sigma_px = deviation_px(errors_N, visible_inlier_ratio, config)
    return covariance_of(rig_information(inliers, map_T_rig, sigma_px))


def rig_information(cameras: Sequence[Correspondences], map_T_rig: Pose44, sigma_px: float) -> NDArray[np.float64]:
    """Return the 6x6 information about a pose of a rig.

    cameras: the inliers of each camera. sigma_px: the standard deviation of an inlier along one image axis.
    """
    information_66 = np.zeros((6, 6))
    for inliers in cameras:
        map_T_camera = map_T_rig @ inliers.rig_T_camera
        jacobian_N26 = reprojection_jacobian(inliers.points_N3, inliers.camera, map_T_camera)
        projections_N2 = project_points(inliers.points_N3, inliers.camera, map_T_camera)
        movement_66 = movement(map_T_rig, map_T_camera)
        information_66 += movement_66.T @ pose_information(jacobian_N26, projections_N2, sigma_px) @ movement_66
    return information_66


def pose_information(
    jacobian_N26: NDArray[np.float64], projections_N2: NDArray[np.float64], sigma_px: float
) -> NDArray[np.float64]:
    """Return the 6x6 information of inliers about the pose of their camera.

    jacobian_N26: see ``reprojection_jacobian``. projections_N2: px at the network's input size. sigma_px: see
    ``deviation_px``.
    """
    weighted_N26 = patch_weights(projections_N2)[:, None, None] * jacobian_N26
    return np.asarray(weighted_N26.reshape(-1, 6).T @ jacobian_N26.reshape(-1, 6) / sigma_px**2)


def covariance_of(information_66: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the covariance of an information matrix, always symmetric and positive definite.

    Directions without information get a large but finite variance, so that a filter that fuses the pose ignores these
    directions and does not fail.
    """
    values_6, vectors_66 = np.linalg.eigh(information_66)
    floor = max(MIN_INFORMATION, MIN_RELATIVE_INFORMATION * values_6[-1])
    root_66 = vectors_66 / np.sqrt(np.maximum(values_6, floor))
    return np.asarray(root_66 @ root_66.T)


def position_deviation_m(covariance_66: NDArray[np.float64]) -> float:
    """Return the standard deviation of the position in the direction in which the deviation is largest."""
    return float(np.sqrt(np.linalg.eigvalsh(covariance_66[:3, :3])[-1]))


def deviation_px(errors_N: NDArray[np.float64], visible_inlier_ratio: float, config: LocalizerConfig) -> float:
    """Return the standard deviation of the reprojection errors of the visible cells along one image axis, px.

    errors_N: reprojection errors of the inliers, px. visible_inlier_ratio: the share of the visible cells that agree
    with the pose.
    """
    agreeing_px2 = max(config.pixel_sigma_px**2, (errors_N**2).mean() / 2 if len(errors_N) else 0.0)
    dissenting_px2 = (DISSENT * config.max_error_px) ** 2 / 2
    return float(np.sqrt(visible_inlier_ratio * agreeing_px2 + (1 - visible_inlier_ratio) * dissenting_px2))


def patch_weights(pixels_N2: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weight (N,) of each pixel; the weights of all pixels in one patch of the image add up to 1."""
    columns_N, rows_N = np.floor(pixels_N2 / PATCH_PX).astype(np.int64).T
    keys_N = rows_N * MAX_COLUMNS + columns_N  # np.unique takes twenty times as long for pairs of numbers
    _, patch_N, count_P = np.unique(keys_N, return_inverse=True, return_counts=True)
    return np.asarray(1.0 / count_P[patch_N])


def reprojection_jacobian(points_N3: NDArray[np.float64], camera: Camera, map_T_camera: Pose44) -> NDArray[np.float64]:
    """Return d pixel / d pose, (N, 2, 6), for a pose that is shifted and rotated about fixed map axes.

    points_N3: metres, map frame, in front of the camera. With camera point p = R^T (X - t), a small rotation w and
    shift d give dp = R^T ((X - t) x w - d).
    """
    camera_N3 = transform(invert(map_T_camera), points_N3)
    x_N, y_N, z_N = camera_N3.T
    zero_N = np.zeros_like(z_N)
    gradient_N23 = np.stack(  # d pixel / d point, camera frame
        [
            np.stack([camera.fx / z_N, zero_N, -camera.fx * x_N / z_N**2], axis=1),
            np.stack([zero_N, camera.fy / z_N, -camera.fy * y_N / z_N**2], axis=1),
        ],
        axis=1,
    )
    offset_N13 = (points_N3 - map_T_camera[:3, 3])[:, None]
    gradient_N23 = gradient_N23 @ map_T_camera[:3, :3].T  # map frame
    return np.concatenate([-gradient_N23, np.cross(gradient_N23, offset_N13)], axis=2)
