import cv2
import numpy as np
import pytest

from dsm_ros.geometry import pnp
from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import invert, make_pose, pose_error, transform

CAMERA = Camera(512, 384, 420.0, 420.0, 255.5, 191.5)
TRUTH = make_pose(cv2.Rodrigues(np.array([0.2, -0.4, 0.1]))[0], [105.0, -40.0, 2.0])


def correspondences(outlier_share, count=1000, noise_px=0.5, seed=0):
    rng = np.random.default_rng(seed)
    pixels = rng.uniform([0, 0], [511, 383], (count, 2))
    points = transform(TRUTH, CAMERA.unproject(pixels) * rng.uniform(1, 4, (count, 1)))
    outliers = rng.random(count) < outlier_share
    points[outliers] += rng.normal(0, 1.5, (outliers.sum(), 3))
    return pixels + rng.normal(0, noise_px, (count, 2)), points, outliers


@pytest.fixture(params=["poselib", "opencv"])
def solver(request, monkeypatch):
    if request.param == "opencv":
        monkeypatch.setattr(pnp, "poselib", None)
    elif pnp.poselib is None:
        pytest.skip("PoseLib has no wheel for this machine")


@pytest.mark.usefixtures("solver")
def test_sixty_percent_outliers():
    pixels, points, outliers = correspondences(0.6)
    map_T_camera = pnp.solve_pnp(pixels, points, CAMERA, 4.0)
    distance_m, angle_deg = pose_error(map_T_camera, TRUTH)
    assert distance_m < 0.01
    assert angle_deg < 0.1
    assert ((pnp.reprojection_errors(pixels, points, CAMERA, map_T_camera) < 4.0) == ~outliers).mean() > 0.97


@pytest.mark.skipif(pnp.poselib is None, reason="PoseLib has no wheel for this machine")
@pytest.mark.parametrize("seed", range(5))
def test_ninety_percent_outliers(seed):
    pixels, points, _ = correspondences(0.9, seed=seed)
    distance_m, angle_deg = pose_error(pnp.solve_pnp(pixels, points, CAMERA, 4.0), TRUTH)
    assert distance_m < 0.03
    assert angle_deg < 0.3


def test_exact_correspondences_give_the_exact_pose():
    pixels, points, _ = correspondences(0.0, noise_px=0.0)
    distance_m, angle_deg = pose_error(pnp.solve_pnp(pixels, points, CAMERA, 2.0), TRUTH)
    assert distance_m < 1e-4
    assert angle_deg < 1e-3


def test_too_few_or_unusable_points_give_no_pose():
    pixels, points, _ = correspondences(0.0)
    assert pnp.solve_pnp(pixels[:3], points[:3], CAMERA, 2.0) is None
    assert pnp.solve_pnp(pixels, np.full_like(points, np.nan), CAMERA, 2.0) is None
    assert pnp.solve_pnp(np.empty((0, 2)), np.empty((0, 3)), CAMERA, 2.0) is None


def test_pure_noise_has_hardly_any_inliers():
    rng = np.random.default_rng(1)
    pixels, points = rng.uniform(0, 380, (1000, 2)), rng.normal(0, 2, (1000, 3))
    map_T_camera = pnp.solve_pnp(pixels, points, CAMERA, 4.0)
    assert map_T_camera is None or (pnp.reprojection_errors(pixels, points, CAMERA, map_T_camera) < 4.0).sum() < 50


def test_non_finite_rows_are_ignored():
    pixels, points, _ = correspondences(0.2)
    points[::7] = np.inf
    map_T_camera = pnp.solve_pnp(pixels, points, CAMERA, 4.0)
    assert pose_error(map_T_camera, TRUTH)[0] < 0.01
    assert np.isinf(pnp.reprojection_errors(pixels, points, CAMERA, map_T_camera)[::7]).all()


def test_points_behind_the_camera_are_no_inliers():
    point = transform(TRUTH, np.array([[0.0, 0.0, -2.0]]))
    assert np.isinf(pnp.reprojection_errors(np.array([[255.5, 191.5]]), point, CAMERA, TRUTH)).all()
    assert invert(TRUTH) @ TRUTH == pytest.approx(np.eye(4))


def test_distorted_cameras_are_refused():
    pixels, points, _ = correspondences(0.0)
    lens = Camera(512, 384, 420, 420, 255, 191, "plumb_bob", (0.1, 0, 0, 0))
    with pytest.raises(ValueError, match="rectify"):
        pnp.solve_pnp(pixels, points, lens, 2.0)


@pytest.mark.usefixtures("solver")
def test_refinement_finds_the_pose_from_near_it():
    pixels, points, outliers = correspondences(0.3, noise_px=0.2)
    points[0] = np.nan
    near = TRUTH @ make_pose(cv2.Rodrigues(np.array([0.0, 0.01, 0.0]))[0], [0.02, 0.0, -0.01])
    map_T_camera = pnp.refine_pnp(near, pixels, points, CAMERA, 8.0)
    distance_m, angle_deg = pose_error(map_T_camera, TRUTH)
    assert distance_m < 0.01
    assert angle_deg < 0.1
    assert ((pnp.reprojection_errors(pixels, points, CAMERA, map_T_camera) < 8.0) == ~outliers).mean() > 0.97


def test_refinement_far_from_all_points_gives_no_pose():
    pixels, points, _ = correspondences(0.0)
    far = TRUTH @ make_pose(np.diag([-1.0, 1.0, -1.0]), np.zeros(3))
    assert pnp.refine_pnp(far, pixels, points, CAMERA, 8.0) is None
