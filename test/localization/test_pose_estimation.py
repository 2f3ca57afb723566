from dataclasses import replace

import numpy as np
import pytest

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.correspondences import Correspondences
from dsm_ros.geometry.pose import invert, make_pose, pose_error, transform
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.pose_estimation import estimate_at, estimate_pose, reestimate_pose

CAMERA = Camera(width_px=512, height_px=384, fx=400.0, fy=400.0, cx=255.5, cy=191.5)
POSE = make_pose(np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]), [1.0, 2.0, 3.0])
CAMERA_ALONE = np.eye(4)
CONFIG = LocalizerConfig()


def correspondences(right, count=1000, sigma_px=2.0, rig_T_camera=CAMERA_ALONE):
    """Correspondences, most confident first, of which some (a mask) are right up to noise."""
    rng = np.random.default_rng(0)
    pixels_N2 = rng.uniform((0, 0), (511, 383), (count, 2))
    depths_N1 = rng.uniform(1, 5, (count, 1))
    points_N3 = transform(POSE, CAMERA.unproject(pixels_N2 + rng.normal(0, sigma_px, (count, 2))) * depths_N1)
    points_N3[~right] = rng.uniform(-5, 5, (int((~right).sum()), 3))
    return Correspondences(pixels_N2, points_N3, np.linspace(1, 0.1, count, dtype=np.float32), CAMERA, rig_T_camera)


def test_the_most_confident_cells_find_the_pose_and_all_make_it_precise():
    rng = np.random.default_rng(1)
    found = correspondences(rng.random(1000) < 0.6)
    errors_m = []
    for few in (20, CONFIG.ransac_cells):
        estimate = estimate_pose(found, replace(CONFIG, ransac_cells=few))
        assert estimate.inlier_count == pytest.approx(600, abs=40)
        errors_m.append(pose_error(estimate.map_T_camera, POSE)[0])
    assert max(errors_m) < 0.005
    assert errors_m[0] == pytest.approx(errors_m[1], abs=1e-3)


def test_right_cells_that_are_not_confident_do_not_count_for_finding_it():
    right = np.arange(1000) >= CONFIG.ransac_cells
    map_T_camera = estimate_pose(correspondences(right), CONFIG).map_T_camera
    assert map_T_camera is None or pose_error(map_T_camera, POSE)[0] > 0.5


def test_too_few_cells_have_no_pose():
    estimate = estimate_pose(correspondences(np.ones(3, bool), count=3), CONFIG)
    assert estimate.map_T_camera is None
    assert estimate.inlier_count == len(estimate.inlier_points_N3) == len(estimate.inlier_errors_N) == 0
    assert not estimate.is_supported(replace(CONFIG, min_inliers=0))


def test_a_second_pose_is_judged_by_the_correspondences_of_the_first():
    first = estimate_pose(correspondences(np.arange(1000) % 2 == 0), CONFIG)
    guided = correspondences(np.ones(2000, bool), count=2000, sigma_px=0.1)
    second = reestimate_pose(first, guided, CONFIG)
    assert second.correspondences is first.correspondences
    assert second.inlier_count == pytest.approx(500, abs=30)
    assert pose_error(second.map_T_camera, POSE)[0] < pose_error(first.map_T_camera, POSE)[0]
    assert reestimate_pose(first, guided.first(3), CONFIG).map_T_camera is None


def test_a_camera_is_placed_by_the_pose_of_its_rig():
    rig_T_camera = make_pose(np.eye(3), [0.1, 0.2, 0.3])
    found = correspondences(np.ones(1000, bool), rig_T_camera=rig_T_camera)
    placed = estimate_at(found, POSE @ invert(rig_T_camera), CONFIG)
    assert placed.map_T_camera == pytest.approx(POSE)
    assert placed.inlier_count > 990
    assert (placed.inlier_errors_N < CONFIG.max_error_px).all()
    assert estimate_at(found, None, CONFIG).map_T_camera is None


def test_the_first_correspondences_judge_alone():
    estimate = estimate_pose(correspondences(np.arange(1000) < 600), CONFIG)
    few = estimate.first(10)
    assert (few.inlier_count, len(few.correspondences)) == (10, 10)
    assert few.correspondences.confidence_N.tolist() == estimate.correspondences.confidence_N[:10].tolist()
