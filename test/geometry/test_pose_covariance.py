import cv2
import numpy as np
import pytest

from dsm_ros.geometry.pose import make_pose
from dsm_ros.geometry.pose_covariance import UncertainPose, cross_matrix, difference, level, mean_pose, tilt_deg


def rotation(vector):
    return cv2.Rodrigues(np.asarray(vector, dtype=np.float64))[0]


CAMERA = make_pose(rotation([0.4, -1.1, 0.7]), [3.0, -2.0, 1.2])
CAMERA_T_BASE = make_pose(rotation([1.0, 0.3, -0.5]), [0.8, -0.4, 0.6])  # a lever arm of 1.1 m


def some_covariance(seed=0):
    root_66 = np.random.default_rng(seed).normal(size=(6, 6)) * 0.01
    return root_66 @ root_66.T


def disturbed(pose, error_6):
    """A pose with an error in the order of its covariance: the rotation is about fixed axes."""
    return make_pose(rotation(error_6[3:]) @ pose[:3, :3], pose[:3, 3] + error_6[:3])


def test_the_covariance_of_the_base_is_that_of_its_errors():
    covariance_66, rng = some_covariance(), np.random.default_rng(1)
    errors_N6 = rng.multivariate_normal(np.zeros(6), covariance_66, 20_000)
    base_errors_N6 = [difference(disturbed(CAMERA, e) @ CAMERA_T_BASE, CAMERA @ CAMERA_T_BASE) for e in errors_N6]
    base = UncertainPose(CAMERA, covariance_66).of_frame(CAMERA_T_BASE)
    assert base.a_T_b == pytest.approx(CAMERA @ CAMERA_T_BASE)
    sigmas_6 = np.sqrt(np.diag(base.covariance_66))
    measured_66 = np.cov(np.transpose(base_errors_N6))
    assert measured_66 / np.outer(sigmas_6, sigmas_6) == pytest.approx(
        base.covariance_66 / np.outer(sigmas_6, sigmas_6), abs=0.04
    )


def test_there_and_back_is_the_same_covariance():
    camera = UncertainPose(CAMERA, some_covariance())
    back = camera.of_frame(CAMERA_T_BASE).of_frame(np.linalg.inv(CAMERA_T_BASE))
    assert back.covariance_66 == pytest.approx(camera.covariance_66)
    assert back.a_T_b == pytest.approx(CAMERA)


def test_in_the_plane_only_x_y_and_yaw_are_left():
    pose = make_pose(rotation([0, 0, 0.7]) @ rotation([0.05, -0.04, 0]), [1.0, 2.0, 0.3])
    flat = UncertainPose(pose, some_covariance()).in_plane(0.1)
    assert flat.a_T_b[:3, 3].tolist() == [1.0, 2.0, 0.1]
    assert difference(flat.a_T_b, np.eye(4))[3:5].tolist() == [0.0, 0.0]
    assert difference(flat.a_T_b, np.eye(4))[5] == pytest.approx(0.7, abs=0.01)
    assert np.flatnonzero(np.diag(flat.covariance_66)).tolist() == [0, 1, 5]
    assert flat.covariance_66[0, 5] == some_covariance()[0, 5]


def test_tilt():
    assert tilt_deg(make_pose(rotation([0, 0, 2.0]) @ rotation([0.2, 0, 0]), [0, 0, 0])) == pytest.approx(
        11.459, abs=1e-3
    )
    assert tilt_deg(level(CAMERA, 0.0)) == 0.0


def test_the_cross_matrix():
    a, b = np.array([1.0, 2.0, 3.0]), np.array([-4.0, 5.0, 6.0])
    assert cross_matrix(a) @ b == pytest.approx(np.cross(a, b))
    assert cross_matrix(np.stack([a, b])) @ b == pytest.approx(np.stack([np.cross(a, b), np.zeros(3)]))


def test_the_mean_of_two_estimates_has_the_covariance_of_its_errors():
    covariances = some_covariance(2), some_covariance(3)
    rng, errors_N6 = np.random.default_rng(4), []
    for _ in range(5000):
        estimates = [
            UncertainPose(disturbed(CAMERA, rng.multivariate_normal(np.zeros(6), covariance_66)), covariance_66)
            for covariance_66 in covariances
        ]
        mean = mean_pose(*estimates)
        errors_N6.append(difference(mean.a_T_b, CAMERA))
    sigmas_6 = np.sqrt(np.diag(mean.covariance_66))
    assert np.cov(np.transpose(errors_N6)) / np.outer(sigmas_6, sigmas_6) == pytest.approx(
        mean.covariance_66 / np.outer(sigmas_6, sigmas_6), abs=0.06
    )
    assert (np.linalg.eigvalsh(covariances[0] - mean.covariance_66) > 0).all()
