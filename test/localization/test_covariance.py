import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from dsm_ros.datasets.rooms.sequence import open_rooms
from dsm_ros.evaluation.evaluate import evaluate
from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.correspondences import Correspondences
from dsm_ros.geometry.pnp import project_points, solve_pnp
from dsm_ros.geometry.pose import invert, make_pose, transform
from dsm_ros.geometry.pose_covariance import movement
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.covariance import (
    DISSENT,
    PATCH_PX,
    covariance_of,
    deviation_px,
    patch_weights,
    pose_covariance,
    pose_information,
    reprojection_jacobian,
)
from dsm_ros.localization.localizer import Localizer
from dsm_ros.localization.matching import MatchedImage, SearchArea
from dsm_ros.localization.pose_estimation import evaluate_pose
from dsm_ros.localization.view import View
from dsm_ros.network.features import ImageFeatures
from dsm_ros.scene_map.scene_map import SceneMap

CAMERA = Camera(512, 384, 420.0, 420.0, 255.5, 191.5)
POSE = make_pose(cv2.Rodrigues(np.array([0.3, -0.5, 0.2]))[0], [2.0, -1.0, 0.5])


RIG_T_FRONT = make_pose(cv2.Rodrigues(np.array([0.0, 0.0, 0.3]))[0], [0.1, 0.2, 0.0])
RIG_T_RIGHT = make_pose(cv2.Rodrigues(np.array([0.0, np.pi / 2, 0.0]))[0], [0.3, -0.1, 0.2])
EVERY_INLIER = LocalizerConfig(pixel_sigma_px=1.0, max_error_px=1000.0)
FORWARD = make_pose([[0, 0, 1], [-1, 0, 0], [0, -1, 0]], [5.0, 2.0, 1.0])  # looks along the map's x


def covariance_at(points, camera, map_T_camera, sigma_px):
    projections = project_points(points, camera, map_T_camera)
    visible = np.isfinite(projections).all(axis=1)
    jacobian = reprojection_jacobian(points[visible], camera, map_T_camera)
    return covariance_of(pose_information(jacobian, projections[visible], sigma_px))


def inlier_points(estimate):
    return estimate.correspondences.points_N3[estimate.inliers_N]


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


def quiet(done, total):
    pass


def one_pixel_a_patch():
    """Pixels further apart than a patch, so that every one counts in full."""
    u, v = np.meshgrid(np.arange(20.0, 512, PATCH_PX), np.arange(20.0, 384, PATCH_PX))
    return np.stack([u.ravel(), v.ravel()], axis=1)


def wall(pixels, distance_m, pose=FORWARD):
    """The points of a wall in front of the camera."""
    return transform(pose, CAMERA.unproject(pixels) * distance_m)


def pose_errors(solve, trials):
    errors = []
    for trial in range(trials):
        found = solve(trial)
        turn = cv2.Rodrigues(found[:3, :3] @ POSE[:3, :3].T)[0].ravel()
        errors.append([*(found[:3, 3] - POSE[:3, 3]), *turn])
    return np.array(errors)


def test_the_covariance_predicts_the_scatter_of_solutions():
    pixels = one_pixel_a_patch()
    rng = np.random.default_rng(1)
    points = transform(POSE, CAMERA.unproject(pixels) * rng.uniform(1, 4, (len(pixels), 1)))

    def solve(trial):
        return solve_pnp(pixels + rng.normal(0, 1.0, pixels.shape), points, CAMERA, 12.0, seed=trial)

    predicted = covariance_at(points, CAMERA, POSE, sigma_px=1.0)
    ratio = np.diag(np.cov(pose_errors(solve, 60).T)) / np.diag(predicted)
    assert (ratio > 0.5).all()
    assert (ratio < 2.0).all()


def test_pixels_of_one_patch_inform_as_one():
    rng = np.random.default_rng(0)
    far_apart = one_pixel_a_patch()
    points = transform(POSE, CAMERA.unproject(far_apart) * rng.uniform(1, 4, (len(far_apart), 1)))
    once = covariance_at(points, CAMERA, POSE, 1.0)
    assert covariance_at(np.repeat(points, 9, axis=0), CAMERA, POSE, 1.0) == pytest.approx(once)


def test_patch_weights_of_worked_pixels():
    pixels = PATCH_PX * np.array([[0.1, 0.1], [0.9, 0.9], [1.1, 0.1], [-0.1, 0.1]])
    assert patch_weights(pixels) == pytest.approx([0.5, 0.5, 1.0, 1.0])


def test_the_deviation_of_worked_errors():
    config = LocalizerConfig(pixel_sigma_px=0.5, max_error_px=8.0)
    assert deviation_px(np.array([3.0, 1.0]), 1.0, config) == pytest.approx(np.sqrt((9 + 1) / 4))
    assert deviation_px(np.zeros(5), 1.0, config) == 0.5
    assert deviation_px(np.empty(0), 1.0, config) == 0.5
    contradicted = DISSENT * 8.0
    assert deviation_px(np.array([3.0, 1.0]), 0.75, config) == pytest.approx(
        np.sqrt(0.75 * 2.5 + 0.25 * contradicted**2 / 2)
    )


def test_the_covariance_grows_with_the_deviation_and_the_distance():
    near, far = (covariance_at(wall(one_pixel_a_patch(), d), CAMERA, FORWARD, 1.0) for d in (1.0, 3.0))
    assert covariance_at(wall(one_pixel_a_patch(), 1.0), CAMERA, FORWARD, 2.0) == pytest.approx(4 * near)
    assert np.sqrt(np.diag(far)[:3] / np.diag(near)[:3]) == pytest.approx([3, 3, 3])  # metres scale with the scene
    assert np.diag(far)[3:] == pytest.approx(np.diag(near)[3:])  # radians do not


def test_depth_is_known_worse_than_the_sideways_position_in_map_axes():
    pixels = one_pixel_a_patch()
    information = np.linalg.inv(covariance_at(wall(pixels, 2.0), CAMERA, FORWARD, 1.0))
    deviation = np.diag(information)[:3] ** -0.5  # of the position when the rotation is known
    radius_px = np.sqrt(((pixels - CAMERA.matrix_33[:2, 2]) ** 2).sum(axis=1).mean())
    assert deviation[1:] == pytest.approx(2.0 / (CAMERA.fx * np.sqrt(len(pixels))))
    assert deviation[0] == pytest.approx(deviation[1] * CAMERA.fx / radius_px)  # depth is the map's x


def test_a_wall_leaves_shift_and_turn_to_be_confused_in_map_axes():
    covariance = covariance_at(wall(one_pixel_a_patch(), 2.0), CAMERA, FORWARD, 1.0)
    deviation = np.sqrt(np.diag(covariance))
    correlation = covariance / np.outer(deviation, deviation)
    assert correlation[1, 5] < -0.98  # further left (y) with a turn to the right (negative about z)
    assert correlation[2, 4] > 0.98  # higher up (z) with a turn downwards (positive about y)
    assert deviation[3] < 0.4 * deviation[4:].min()  # rolling about the optical axis is told from both


@given(
    arrays(np.float64, st.tuples(st.integers(0, 12), st.just(3)), elements=st.floats(-50, 50)),
    st.floats(0.1, 100),
)
def test_every_covariance_is_symmetric_and_positive_definite(points, sigma_px):
    covariance = covariance_at(points, CAMERA, POSE, sigma_px)
    assert np.isfinite(covariance).all()
    assert (covariance == covariance.T).all()
    assert np.linalg.eigvalsh(covariance).min() > 0


def test_without_information_the_variance_is_large_but_finite():
    covariance = covariance_at(np.empty((0, 3)), CAMERA, POSE, 1.0)
    assert np.isfinite(covariance).all()
    assert np.linalg.eigvalsh(covariance).min() >= 1e3


def estimate_on_rig(rig_T_camera, noise_px=0.0, count=500):
    """A camera whose correspondences all agree with the rig's pose."""
    rng = np.random.default_rng(0)
    pixels = rng.uniform([0, 0], [511, 383], (count, 2))
    points = transform(POSE @ rig_T_camera, CAMERA.unproject(pixels) * rng.uniform(1, 4, (count, 1)))
    pixels += rng.normal(0, noise_px, (count, 2))
    correspondences = Correspondences(pixels, points, np.ones(count), CAMERA, rig_T_camera)
    view, query = View("", None, CAMERA, rig_T_camera), ImageFeatures((), torch.zeros(1), CAMERA)
    image = MatchedImage(view, query, SearchArea(()), (), None, None, correspondences)
    return evaluate_pose(image, correspondences, POSE @ rig_T_camera, EVERY_INLIER)


def test_what_is_fixed_to_a_moving_frame_moves_as_predicted():
    change = np.array([0.3, -0.2, 0.1, 0.4, -0.5, 0.6]) * 1e-3
    camera, shifted = POSE @ RIG_T_FRONT, moved(POSE, change) @ RIG_T_FRONT
    expected = movement(POSE, camera) @ change
    assert shifted[:3, 3] - camera[:3, 3] == pytest.approx(expected[:3], abs=1e-6)
    assert cv2.Rodrigues(shifted[:3, :3] @ camera[:3, :3].T)[0].ravel() == pytest.approx(expected[3:], abs=1e-6)


def test_a_camera_on_its_own_frame_knows_what_its_inliers_tell():
    estimate = estimate_on_rig(np.eye(4))
    expected = covariance_at(inlier_points(estimate), CAMERA, POSE, 1.0)
    assert (pose_covariance([estimate], POSE, 1.0, EVERY_INLIER) == expected).all()


def test_a_rig_of_one_camera_knows_what_that_camera_knows():
    estimate = estimate_on_rig(RIG_T_FRONT)
    camera = POSE @ RIG_T_FRONT
    to_rig_66 = movement(camera, POSE)
    expected = to_rig_66 @ covariance_at(inlier_points(estimate), CAMERA, camera, 1.0) @ to_rig_66.T
    assert pose_covariance([estimate], POSE, 1.0, EVERY_INLIER) == pytest.approx(expected)


def test_two_cameras_know_more_than_one():
    front, right = estimate_on_rig(RIG_T_FRONT), estimate_on_rig(RIG_T_RIGHT)
    both = np.diag(pose_covariance([front, right], POSE, 1.0, EVERY_INLIER))
    for alone in (front, right):
        assert (both < np.diag(pose_covariance([alone], POSE, 1.0, EVERY_INLIER))).all()


def test_the_deviation_is_that_of_all_inliers():
    exact, noisy = estimate_on_rig(RIG_T_FRONT), estimate_on_rig(RIG_T_RIGHT, noise_px=4.0)
    sure = pose_covariance([exact, estimate_on_rig(RIG_T_RIGHT)], POSE, 1.0, EVERY_INLIER)
    unsure = pose_covariance([exact, noisy], POSE, 1.0, EVERY_INLIER)
    assert np.trace(unsure) == pytest.approx(8 * np.trace(sure), rel=0.1)


def test_most_true_errors_in_a_new_room_are_inside_the_ellipsoid(room_map, network):
    scene_map = SceneMap.open(room_map, network.model_hash)
    localizer = Localizer(scene_map, network, LocalizerConfig(temporal=False))
    figures = evaluate(localizer, open_rooms("rooms:7/walk=1"), range(0, 300, 15), quiet).figures
    assert figures["n_localized"] >= 16
    assert 0.85 <= figures["covariance_coverage_95"] <= 1.0


def test_errors_close_to_a_keyframe_are_inside_the_ellipsoid(room_map, network):
    # Cells take the place of the nearest cell of a close keyframe, all with the same error: without refinement the
    # ellipsoid held a third of the errors.
    localizer = Localizer(SceneMap.open(room_map, network.model_hash), network, LocalizerConfig(temporal=False))
    figures = evaluate(localizer, open_rooms("rooms:7"), range(3, 300, 30), quiet).figures
    assert figures["n_localized"] == 10
    assert figures["covariance_coverage_95"] >= 0.9
