"""Rigid poses as 4x4 float64 matrices; ``a_T_b`` transforms points from frame b to frame a."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Pose44 = NDArray[np.float64]


def nearest_rotation(matrix_33: ArrayLike) -> NDArray[np.float64]:
    """Return the rotation closest to a 3x3 matrix in the Frobenius norm (SVD).

    Raises ValueError when a singular value of the matrix differs from 1 by more than 0.1.
    """
    u, singular, vt = np.linalg.svd(np.asarray(matrix_33, dtype=np.float64))
    if not np.isfinite(singular).all() or np.abs(singular - 1).max() > 0.1:
        raise ValueError("matrix is not close to a rotation")
    return u @ np.diag([1, 1, np.sign(np.linalg.det(u @ vt))]) @ vt


def make_pose(rotation_33: ArrayLike, translation_3: ArrayLike) -> Pose44:
    """Return the 4x4 pose of a rotation (3x3) and a translation (m)."""
    pose = np.eye(4)
    pose[:3, :3] = rotation_33
    pose[:3, 3] = translation_3
    return pose


def invert(a_T_b: Pose44) -> Pose44:
    """Return b_T_a, the inverse of a_T_b."""
    b_R_a = a_T_b[:3, :3].T
    return make_pose(b_R_a, -b_R_a @ a_T_b[:3, 3])


def transform(a_T_b: Pose44, b_points_N3: ArrayLike) -> NDArray[np.float64]:
    """Transform points (..., 3) from frame b to frame a."""
    turned_33 = np.ascontiguousarray(a_T_b[:3, :3].T)  # numpy multiplies slowly by a strided matrix
    return np.asarray(b_points_N3, dtype=np.float64) @ turned_33 + a_T_b[:3, 3]


def quaternion_xyzw(a_T_b: Pose44) -> NDArray[np.float64]:
    """Return the unit quaternion (x, y, z, w), w >= 0, of a pose's rotation."""
    m = a_T_b[:3, :3]
    four_K = np.array(
        [
            [m[0, 0] - m[1, 1] - m[2, 2], 0, 0, 0],
            [m[1, 0] + m[0, 1], m[1, 1] - m[0, 0] - m[2, 2], 0, 0],
            [m[2, 0] + m[0, 2], m[2, 1] + m[1, 2], m[2, 2] - m[0, 0] - m[1, 1], 0],
            [m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1], m[0, 0] + m[1, 1] + m[2, 2]],
        ]
    )
    quaternion = np.linalg.eigh(four_K)[1][:, -1]  # Bar-Itzhack: stable at every angle
    return quaternion if quaternion[3] >= 0 else -quaternion


def pose_from_quaternion(translation_3: ArrayLike, quaternion_xyzw_4: ArrayLike) -> Pose44:
    """Return the pose of a translation (m) and a quaternion (x, y, z, w).

    Raises ValueError when the norm of the quaternion differs from 1 by more than 0.1.
    """
    q = np.asarray(quaternion_xyzw_4, dtype=np.float64)
    norm = np.linalg.norm(q)
    if not 0.9 < norm < 1.1:
        raise ValueError(f"quaternion has norm {norm:.3g} instead of 1")
    x, y, z, w = q / norm
    rotation = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
        [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
        [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
    ]
    return make_pose(rotation, translation_3)


def rotation_angle_deg(a_T_b: Pose44) -> float:
    """Return the angle of a pose's rotation, 0..180 degrees, accurate near 0 and 180 too."""
    m = a_T_b[:3, :3]
    sine = np.linalg.norm([m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]])
    return float(np.degrees(np.arctan2(sine, np.trace(m) - 1)))


def pose_error(estimate_44: Pose44, truth_44: Pose44) -> tuple[float, float]:
    """Return (distance of origins in m, rotation angle in degrees) between two poses in the same frame."""
    distance_m = float(np.linalg.norm(estimate_44[:3, 3] - truth_44[:3, 3]))
    return distance_m, rotation_angle_deg(invert(truth_44) @ estimate_44)


def interpolate(a_T_b: Pose44, a_T_c: Pose44, fraction: float) -> Pose44:
    """Return the pose at a fraction of the way from a_T_b to a_T_c, linear in translation and spherical in rotation.

    A fraction outside 0..1 extrapolates.
    """
    q0, q1 = quaternion_xyzw(a_T_b), quaternion_xyzw(a_T_c)
    q1 = q1 if q0 @ q1 >= 0 else -q1
    angle = np.arctan2(np.linalg.norm(q1 - q0), np.linalg.norm(q1 + q0)) * 2
    weight_0, weight_1 = 1 - fraction, fraction
    if angle > 1e-8:
        weight_0, weight_1 = np.sin(weight_0 * angle) / np.sin(angle), np.sin(weight_1 * angle) / np.sin(angle)
    q = weight_0 * q0 + weight_1 * q1
    return pose_from_quaternion((1 - fraction) * a_T_b[:3, 3] + fraction * a_T_c[:3, 3], q)
