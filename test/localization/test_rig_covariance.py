import cv2
import numpy as np
import pytest
import torch

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pnp import PnpResult
from dsm_ros.geometry.pose import make_pose, transform
from dsm_ros.localization.attempt import Attempt
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.covariance import pose_covariance
from dsm_ros.localization.rig_covariance import moved_covariance, movement, rig_covariance
from dsm_ros.localization.sight import Sight
from dsm_ros.network.features import ImageFeatures

CAMERA = Camera(512, 384, 420.0, 420.0, 255.5, 191.5)
MAP_T_RIG = make_pose(cv2.Rodrigues(np.array([0.3, -0.5, 0.2]))[0], [2.0, -1.0, 0.5])
EXACT = LocalizerConfig(pixel_sigma_px=1.0)
RIG_T_FRONT = make_pose(cv2.Rodrigues(np.array([0.0, 0.0, 0.3]))[0], [0.1, 0.2, 0.0])
RIG_T_RIGHT = make_pose(cv2.Rodrigues(np.array([0.0, np.pi / 2, 0.0]))[0], [0.3, -0.1, 0.2])


def sight(rig_T_camera, noise_px=0.0, count=500):
    """A camera whose correspondences all agree with the rig's pose."""
    rng = np.random.default_rng(0)
    map_T_camera = MAP_T_RIG @ rig_T_camera
    pixels = rng.uniform([0, 0], [511, 383], (count, 2))
    points = transform(map_T_camera, CAMERA.unproject(pixels) * rng.uniform(1, 4, (count, 1)))
    pixels += rng.normal(0, noise_px, (count, 2))
    pnp = PnpResult(map_T_camera, np.ones(count, bool))
    return Sight(
        ImageFeatures((), torch.zeros(1), CAMERA), (), (), None, Attempt(None, points, pixels, points, None, pnp)
    )


def test_what_is_fixed_to_a_moving_frame_moves_as_predicted():
    change = np.array([0.3, -0.2, 0.1, 0.4, -0.5, 0.6]) * 1e-3
    rig, camera = MAP_T_RIG, MAP_T_RIG @ RIG_T_FRONT
    turned = make_pose(cv2.Rodrigues(change[3:])[0] @ rig[:3, :3], rig[:3, 3] + change[:3])
    moved = turned @ RIG_T_FRONT
    expected = movement(rig, camera) @ change
    assert moved[:3, 3] - camera[:3, 3] == pytest.approx(expected[:3], abs=1e-6)
    assert cv2.Rodrigues(moved[:3, :3] @ camera[:3, :3].T)[0].ravel() == pytest.approx(expected[3:], abs=1e-6)


def test_a_rig_of_one_camera_knows_what_that_camera_knows():
    alone = sight(RIG_T_FRONT)
    camera = alone.attempt.pnp.map_T_camera
    expected = moved_covariance(pose_covariance(alone.attempt.points_C3, CAMERA, camera, 1.0), camera, MAP_T_RIG)
    assert rig_covariance([alone], MAP_T_RIG, 1.0, EXACT) == pytest.approx(expected)


def test_two_cameras_know_more_than_one():
    front, right = sight(RIG_T_FRONT), sight(RIG_T_RIGHT)
    both = np.diag(rig_covariance([front, right], MAP_T_RIG, 1.0, EXACT))
    for alone in (front, right):
        assert (both < np.diag(rig_covariance([alone], MAP_T_RIG, 1.0, EXACT))).all()


def test_the_deviation_is_that_of_all_inliers():
    exact, noisy = sight(RIG_T_FRONT), sight(RIG_T_RIGHT, noise_px=4.0)
    sure = rig_covariance([exact, sight(RIG_T_RIGHT)], MAP_T_RIG, 1.0, EXACT)
    assert np.trace(rig_covariance([exact, noisy], MAP_T_RIG, 1.0, EXACT)) == pytest.approx(8 * np.trace(sure), rel=0.1)
