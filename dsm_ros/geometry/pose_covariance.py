"""Covariance of a pose: its transformation to another frame of the same rigid body, and its reduction to a plane."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.pose import Pose44, make_pose


@dataclass(frozen=True)
class UncertainPose:
    """Pose of a frame b in a frame a with its covariance.

    covariance_66: order x, y, z, rotX, rotY, rotZ (m, rad), in a, with rotations about the fixed axes of a (REP 103).
    """

    a_T_b: Pose44
    covariance_66: NDArray[np.float64]

    def of_frame(self, b_T_c: Pose44) -> UncertainPose:
        """Return the pose of a frame c that is rigidly attached to b, with its covariance by the adjoint.

        A rotation of b moves c by the lever arm between the two frames.
        """
        a_T_c = self.a_T_b @ b_T_c
        movement_66 = movement(self.a_T_b, a_T_c)
        return UncertainPose(a_T_c, movement_66 @ self.covariance_66 @ movement_66.T)

    def in_plane(self, height_m: float) -> UncertainPose:
        """Return the pose made level at a height, with the covariance of x, y and yaw alone."""
        kept_66 = np.diag([1.0, 1.0, 0.0, 0.0, 0.0, 1.0])
        return UncertainPose(level(self.a_T_b, height_m), kept_66 @ self.covariance_66 @ kept_66)


def mean_pose(first: UncertainPose, second: UncertainPose) -> UncertainPose:
    """Return the mean of two estimates of one pose, weighted by their covariances."""
    # The pseudo-inverse leaves out directions without variance, those of a plane.
    sum_66 = first.covariance_66 + second.covariance_66
    gain_66 = first.covariance_66 @ np.linalg.pinv(sum_66, rcond=1e-12, hermitian=True)
    step_6 = gain_66 @ difference(second.a_T_b, first.a_T_b)
    rotation_33 = cv2.Rodrigues(step_6[3:])[0] @ first.a_T_b[:3, :3]
    covariance_66 = (np.eye(6) - gain_66) @ first.covariance_66
    mean_44 = make_pose(rotation_33, first.a_T_b[:3, 3] + step_6[:3])
    return UncertainPose(mean_44, (covariance_66 + covariance_66.T) / 2)


def difference(a_T_b: Pose44, a_T_c: Pose44) -> NDArray[np.float64]:
    """Return the error of b against c in the order of a covariance (m, rad, rotation about the axes of a)."""
    rotation_3 = cv2.Rodrigues(a_T_b[:3, :3] @ a_T_c[:3, :3].T)[0].ravel()
    return np.concatenate([a_T_b[:3, 3] - a_T_c[:3, 3], rotation_3])


def movement(map_T_a: Pose44, map_T_b: Pose44) -> NDArray[np.float64]:
    """Return the 6x6 matrix that turns a small movement of frame a into the movement of frame b, which is fixed to a.

    A movement is a shift and a rotation about fixed map axes at the origin of the moving frame.
    """
    movement_66 = np.eye(6)
    movement_66[:3, 3:] = -cross_matrix(map_T_b[:3, 3] - map_T_a[:3, 3])
    return movement_66


def level(a_T_b: Pose44, height_m: float) -> Pose44:
    """Return the pose with the x, y and yaw of another pose, level (z up) and at a height."""
    yaw = math.atan2(a_T_b[1, 0], a_T_b[0, 0])
    cosine, sine = math.cos(yaw), math.sin(yaw)
    rotation_33 = np.array([[cosine, -sine, 0.0], [sine, cosine, 0.0], [0.0, 0.0, 1.0]])
    return make_pose(rotation_33, np.array([a_T_b[0, 3], a_T_b[1, 3], height_m]))


def tilt_deg(a_T_b: Pose44) -> float:
    """Return the angle between the z axes of a and b."""
    return math.degrees(math.acos(max(-1.0, min(1.0, float(a_T_b[2, 2])))))


def cross_matrix(vectors_X3: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the cross-product matrices (..., 3, 3) of vectors (..., 3)."""
    x_X, y_X, z_X = np.moveaxis(vectors_X3, -1, 0)
    zero_X = np.zeros_like(x_X)
    rows = [zero_X, -z_X, y_X, z_X, zero_X, -x_X, -y_X, x_X, zero_X]
    return np.stack(rows, axis=-1).reshape(*vectors_X3.shape, 3)
