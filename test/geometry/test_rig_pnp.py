import cv2
import numpy as np
import pytest

from dsm_ros.errors import DsmError
from dsm_ros.geometry import rig_pnp
from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.correspondences import Correspondences
from dsm_ros.geometry.pose import make_pose, pose_error, transform
from dsm_ros.geometry.rig_pnp import refine_rig_pose, solve_rig_pnp

FRONT, RIGHT = Camera(512, 384, 420.0, 420.0, 255.5, 191.5), Camera(640, 360, 300.0, 310.0, 330.0, 170.0)
TRUTH = make_pose(cv2.Rodrigues(np.array([0.2, -0.4, 0.1]))[0], [105.0, -40.0, 2.0])
RIG_T_FRONT = make_pose(cv2.Rodrigues(np.array([0.0, 0.0, 0.3]))[0], [0.1, 0.2, 0.0])
RIG_T_RIGHT = make_pose(cv2.Rodrigues(np.array([0.0, np.pi / 2, 0.0]))[0], [0.3, -0.1, 0.2])

needs_poselib = pytest.mark.skipif(rig_pnp.poselib is None, reason="PoseLib has no wheel for this machine")


def paired(pixels_N2, points_N3, camera, rig_T_camera):
    return Correspondences(pixels_N2, points_N3, np.ones(len(points_N3), np.float32), camera, rig_T_camera)


def seen(camera, rig_T_camera, outlier_share=0.0, count=500, noise_px=0.0, seed=0):
    rng = np.random.default_rng(seed)
    pixels = rng.uniform([0, 0], [camera.width_px - 1, camera.height_px - 1], (count, 2))
    points = transform(TRUTH @ rig_T_camera, camera.unproject(pixels) * rng.uniform(1, 4, (count, 1)))
    outliers = rng.random(count) < outlier_share
    points[outliers] += rng.normal(0, 1.5, (outliers.sum(), 3))
    return paired(pixels + rng.normal(0, noise_px, (count, 2)), points, camera, rig_T_camera)


@needs_poselib
def test_exact_correspondences_give_the_exact_pose_of_the_rig():
    map_T_rig = solve_rig_pnp([seen(FRONT, RIG_T_FRONT), seen(RIGHT, RIG_T_RIGHT)], 2.0)
    distance_m, angle_deg = pose_error(map_T_rig, TRUTH)
    assert distance_m < 1e-4
    assert angle_deg < 1e-3


@needs_poselib
def test_sixty_percent_outliers_in_both_cameras():
    both = [seen(FRONT, RIG_T_FRONT, 0.6, noise_px=0.5), seen(RIGHT, RIG_T_RIGHT, 0.6, noise_px=0.5, seed=1)]
    distance_m, angle_deg = pose_error(solve_rig_pnp(both, 4.0), TRUTH)
    assert distance_m < 0.01
    assert angle_deg < 0.1


@needs_poselib
def test_a_camera_that_is_all_wrong_or_sees_nothing_does_not_matter():
    rng = np.random.default_rng(2)
    wrong = paired(rng.uniform(0, 380, (500, 2)), rng.normal(0, 2, (500, 3)), RIGHT, RIG_T_RIGHT)
    nothing = paired(np.empty((0, 2)), np.empty((0, 3)), RIGHT, RIG_T_RIGHT)
    broken = paired(np.zeros((9, 2)), np.full((9, 3), np.nan), RIGHT, RIG_T_RIGHT)
    for other in (wrong, nothing, broken):
        map_T_rig = solve_rig_pnp([seen(FRONT, RIG_T_FRONT, noise_px=0.5), other], 4.0)
        assert pose_error(map_T_rig, TRUTH)[0] < 0.01


@needs_poselib
def test_too_few_points_give_no_pose():
    few = seen(FRONT, RIG_T_FRONT, count=1), seen(RIGHT, RIG_T_RIGHT, count=2)
    assert solve_rig_pnp(few, 2.0) is None


def test_without_poselib_one_line_says_so(monkeypatch):
    monkeypatch.setattr(rig_pnp, "poselib", None)
    with pytest.raises(DsmError, match="several cameras need PoseLib"):
        solve_rig_pnp([seen(FRONT, RIG_T_FRONT), seen(RIGHT, RIG_T_RIGHT)], 2.0)


@needs_poselib
def test_a_pose_is_refined_on_the_correspondences_near_it():
    both = [seen(FRONT, RIG_T_FRONT, 0.3, noise_px=0.2), seen(RIGHT, RIG_T_RIGHT, 0.3, noise_px=0.2, seed=1)]
    rough = TRUTH @ make_pose(cv2.Rodrigues(np.array([0.0, 0.002, 0.0]))[0], [0.004, -0.003, 0.002])
    refined = refine_rig_pose(rough, both, 8.0)
    assert pose_error(rough, TRUTH)[0] > 0.005
    assert pose_error(refined, TRUTH)[0] < 0.001
    assert (refine_rig_pose(rough, [seen(FRONT, RIG_T_FRONT, count=1)], 8.0) == rough).all()
