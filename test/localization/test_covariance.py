import cv2
import numpy as np
import pytest

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pnp import solve_pnp
from dsm_ros.geometry.pose import invert, make_pose, transform
from dsm_ros.localization.covariance import pose_covariance, reprojection_jacobian

CAMERA = Camera(512, 384, 420.0, 420.0, 255.5, 191.5)
POSE = make_pose(cv2.Rodrigues(np.array([0.3, -0.5, 0.2]))[0], [2.0, -1.0, 0.5])


def scene(count, seed=0):
    rng = np.random.default_rng(seed)
    pixels = rng.uniform([0, 0], [511, 383], (count, 2))
    return pixels, transform(POSE, CAMERA.unproject(pixels) * rng.uniform(1, 4, (count, 1)))


def moved(pose, change):
    """Shift a pose and turn it about fixed map axes at its own origin."""
    turned = make_pose(cv2.Rodrigues(np.asarray(change[3:]))[0] @ pose[:3, :3], pose[:3, 3])
    turned[:3, 3] += change[:3]
    return turned


def test_the_jacobian_equals_finite_differences():
    _, points = scene(20)
    jacobian = reprojection_jacobian(points, CAMERA, POSE)
    for axis in range(6):
        change = np.zeros(6)
        change[axis] = 1e-6
        shifted = [CAMERA.project(transform(invert(moved(POSE, s * change)), points)) for s in (1, -1)]
        assert jacobian[:, :, axis] == pytest.approx((shifted[0] - shifted[1]) / 2e-6, rel=1e-4, abs=1e-3)


def test_the_covariance_predicts_the_scatter_of_solutions():
    pixels, points = scene(300)
    rng = np.random.default_rng(1)
    errors = []
    for trial in range(60):
        found = solve_pnp(pixels + rng.normal(0, 1.0, pixels.shape), points, CAMERA, 12.0, seed=trial).map_T_camera
        turn = cv2.Rodrigues(found[:3, :3] @ POSE[:3, :3].T)[0].ravel()
        errors.append([*(found[:3, 3] - POSE[:3, 3]), *turn])
    predicted = pose_covariance(points, CAMERA, POSE, sigma_px=1.0)
    ratio = np.diag(np.cov(np.array(errors).T)) / np.diag(predicted)
    assert (ratio > 0.5).all()
    assert (ratio < 2.0).all()


def test_without_information_the_variance_is_large_but_finite():
    covariance = pose_covariance(np.empty((0, 3)), CAMERA, POSE, 1.0)
    assert np.isfinite(covariance).all()
    assert np.linalg.eigvalsh(covariance).min() >= 1e3
