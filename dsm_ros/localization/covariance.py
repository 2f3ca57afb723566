"""Covariance of a pose, from the inliers of one image or of all images of a rig and how well they fit.

The model has two fitted constants and no guessed one. The deviation of a correspondence is that of the frame's own
cells, so a blurred image or a sparse map widens the ellipsoid by itself; those that should agree with the pose and do
not count too, or blank walls, where few contradict anything, would look like a good fit. Cells next to each other err
together (they see the same keyframes, and the network smooths), so all the inliers of one patch inform as one.

It is the error against the map, in the middle of the exposure, of a calibrated camera. What map, clock and calibration
are off by leaves no trace in a single image and is not in it: of the real sequences, whose truth is
off by centimetres itself, it covers a fifth of the frames (kitchen) or none (fr1_rpy).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44, invert, transform
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.matching import MatchedImage

# Side of a patch, px at the network's input size: the least whole number of cells (8 px) at which 95 % of true errors
# lie inside the 95 % ellipsoid. Frames with motion blur are compared with the pose in the middle of their exposure.
PATCH_PX = 24.0
MAX_COLUMNS = 2**32
# Error of a cell that contradicts a pose, in inlier limits. It matters where some do: at 1, 2, 3 and 4 limits 0.51,
# 0.72, 0.84 and 0.89 of the errors in rooms with blank walls are inside, and 0.99 of those in others at any of them.
DISSENT = 4.0
MIN_INFORMATION = 1e-4  # 1 / variance (m or rad) of a direction that nothing was learned about
MIN_RELATIVE_INFORMATION = 1e-12  # of the best known direction: below, float64 cannot tell it from none


def pose_covariance(
    images: Sequence[MatchedImage], map_T_rig: Pose44, visible_inlier_ratio: float, config: LocalizerConfig
) -> NDArray[np.float64]:
    """Return the 6x6 covariance (x y z rotX rotY rotZ; map frame; m, rad) of the pose that all images agree on.

    visible_inlier_ratio: the share of the cells that should see the map, of all images, that agree with the pose.
    """
    estimates = [image.estimate for image in images]
    sigma_px = deviation_px(np.concatenate([each.inlier_errors_N for each in estimates]), visible_inlier_ratio, config)
    information_66 = np.zeros((6, 6))
    for image in images:
        map_T_camera = map_T_rig @ image.view.rig_T_camera
        movement_66 = movement(map_T_rig, map_T_camera)
        camera_66 = pose_information(image.estimate.inlier_points_N3, image.query.camera, map_T_camera, sigma_px)
        information_66 += movement_66.T @ camera_66 @ movement_66
    return covariance_of(information_66)


def movement(map_T_a: Pose44, map_T_b: Pose44) -> NDArray[np.float64]:
    """Return the 6x6 matrix that turns a small movement of a into that of b, which is fixed to it.

    A movement is a shift and a turn about fixed map axes at the frame's own origin.
    """
    movement_66 = np.eye(6)
    movement_66[:3, 3:] = -skew((map_T_b[:3, 3] - map_T_a[:3, 3])[None])[0]
    return movement_66


def pose_information(
    points_N3: NDArray[np.float64], camera: Camera, map_T_camera: Pose44, sigma_px: float
) -> NDArray[np.float64]:
    """Return the 6x6 information of inlier points about the pose of a camera that sees them.

    points: metres, map frame. camera: at the network's input size. sigma_px: see ``deviation_px``.
    """
    pixels_N2 = camera.project(transform(invert(map_T_camera), points_N3))
    seen_N = np.isfinite(pixels_N2).all(axis=1)
    jacobian_N26 = reprojection_jacobian(points_N3[seen_N], camera, map_T_camera)
    weight_N = patch_weights(pixels_N2[seen_N])
    return np.asarray(np.einsum("n,nij,nik->jk", weight_N, jacobian_N26, jacobian_N26) / sigma_px**2)


def covariance_of(information_66: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the covariance that an information matrix leaves: always symmetric and positive definite.

    Directions without information get a large but finite variance, so that a fusing filter ignores them instead of
    failing.
    """
    values_6, vectors_66 = np.linalg.eigh(information_66)
    floor = max(MIN_INFORMATION, MIN_RELATIVE_INFORMATION * values_6[-1])
    root_66 = vectors_66 / np.sqrt(np.maximum(values_6, floor))
    return np.asarray(root_66 @ root_66.T)


def deviation_px(errors_N: NDArray[np.float64], visible_inlier_ratio: float, config: LocalizerConfig) -> float:
    """Return the deviation of one coordinate of the cells that should see the map from a pose.

    errors_N: px, of the cells that agree with the pose. visible_inlier_ratio: the share of the cells that should see
    the map that agree with the pose.
    """
    agreeing_px2 = max(config.pixel_sigma_px**2, (errors_N**2).mean() / 2 if len(errors_N) else 0.0)
    dissenting_px2 = (DISSENT * config.max_error_px) ** 2 / 2
    return float(np.sqrt(visible_inlier_ratio * agreeing_px2 + (1 - visible_inlier_ratio) * dissenting_px2))


def patch_weights(pixels_N2: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weight (N,) of each pixel so that those of one patch of the image weigh 1 together."""
    columns_N, rows_N = np.floor(pixels_N2 / PATCH_PX).astype(np.int64).T
    keys_N = rows_N * MAX_COLUMNS + columns_N  # one number a patch: pairs take np.unique twenty times as long
    _, patch_N, count_P = np.unique(keys_N, return_inverse=True, return_counts=True)
    return np.asarray(1.0 / count_P[patch_N])


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
