"""Covariance of a pose from the information of its correspondences."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44, invert, transform


def pose_covariance(
    points_N3: NDArray[np.float64], camera: Camera, map_T_camera: Pose44, sigma_px: float
) -> NDArray[np.float64]:
    """Return the 6x6 covariance (x y z rotX rotY rotZ; map frame; m, rad) of a pose fitted to inlier points.

    sigma_px: deviation of one correspondence's reprojection. Directions without information get a large
    but finite variance, so that a fusing filter ignores them instead of failing.
    """
    jacobian_N26 = reprojection_jacobian(points_N3, camera, map_T_camera)
    information_66 = np.einsum("nij,nik->jk", jacobian_N26, jacobian_N26) / sigma_px**2
    values, vectors = np.linalg.eigh(information_66)
    return np.asarray((vectors / np.maximum(values, 1e-4)) @ vectors.T)


def reprojection_jacobian(points_N3: NDArray[np.float64], camera: Camera, map_T_camera: Pose44) -> NDArray[np.float64]:
    """Return d pixel / d pose, (N, 2, 6), for a pose moved by a translation and turned about fixed map axes.

    With camera point p = R^T (X - t), a small turn w and shift d give dp = R^T ([X - t]x w - d).
    """
    camera_N3 = transform(invert(map_T_camera), points_N3)
    x_N, y_N, z_N = camera_N3.T
    zero_N = np.zeros_like(z_N)
    pixel_N23 = np.stack(
        [
            np.stack([camera.fx / z_N, zero_N, -camera.fx * x_N / z_N**2], axis=1),
            np.stack([zero_N, camera.fy / z_N, -camera.fy * y_N / z_N**2], axis=1),
        ],
        axis=1,
    )
    offset_N3 = points_N3 - map_T_camera[:3, 3]
    camera_R_map = map_T_camera[:3, :3].T
    turn_N33 = camera_R_map @ skew(offset_N3)
    shift_N33 = np.broadcast_to(-camera_R_map, turn_N33.shape)
    return np.asarray(pixel_N23 @ np.concatenate([shift_N33, turn_N33], axis=2))


def skew(vectors_N3: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cross product matrices (N, 3, 3) of vectors."""
    x_N, y_N, z_N = vectors_N3.T
    zero_N = np.zeros_like(x_N)
    return np.stack([zero_N, -z_N, y_N, z_N, zero_N, -x_N, -y_N, x_N, zero_N], axis=1).reshape(-1, 3, 3)
