from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.correspondences import Correspondences
from dsm_ros.geometry.pose import make_pose, pose_error, transform
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.matching import MatchedImage, SearchArea
from dsm_ros.localization.pose_estimation import (
    estimate_pose,
    estimate_rig_pose,
    evaluate_pose,
    is_inside_search,
    reestimate_pose,
    refine_estimate,
)

from .localizers import needs_poselib

CAMERA = Camera(width_px=512, height_px=384, fx=400.0, fy=400.0, cx=255.5, cy=191.5)
POSE = make_pose(np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]), [1.0, 2.0, 3.0])
CAMERA_ALONE = np.eye(4)
CONFIG = LocalizerConfig()


def seen_from(map_T_camera, rig_T_camera=CAMERA_ALONE, count=1000, sigma_px=2.0):
    """Correspondences, most confident first, that are right up to noise."""
    rng = np.random.default_rng(0)
    pixels_N2 = rng.uniform((0, 0), (511, 383), (count, 2))
    depths_N1 = rng.uniform(1, 5, (count, 1))
    rays_N3 = CAMERA.unproject(pixels_N2 + rng.normal(0, sigma_px, (count, 2)))
    confidence_N = np.linspace(1, 0.1, count, dtype=np.float32)
    return Correspondences(pixels_N2, transform(map_T_camera, rays_N3 * depths_N1), confidence_N, CAMERA, rig_T_camera)


def correspondences(right, count=1000, sigma_px=2.0):
    """Correspondences, most confident first, of which some (a mask) are right up to noise."""
    found = seen_from(POSE, count=count, sigma_px=sigma_px)
    found.points_N3[~right] = np.random.default_rng(1).uniform(-5, 5, (int((~right).sum()), 3))
    return found


def image_of(cells):
    """An image whose cells have these correspondences."""
    return MatchedImage(None, None, SearchArea(()), (), None, None, cells)


def inlier_count(estimate):
    return int(estimate.inliers_N.sum())


def test_the_most_confident_cells_find_the_pose_and_all_make_it_precise():
    rng = np.random.default_rng(1)
    found = correspondences(rng.random(1000) < 0.6)
    errors_m = []
    for few in (20, CONFIG.ransac_cells):
        estimate = refine_estimate(estimate_pose(image_of(found), replace(CONFIG, ransac_cells=few)), CONFIG)
        assert inlier_count(estimate) == pytest.approx(600, abs=40)
        errors_m.append(pose_error(estimate.map_T_camera, POSE)[0])
    assert max(errors_m) < 0.005
    assert errors_m[0] == pytest.approx(errors_m[1], abs=1e-3)


def test_right_cells_that_are_not_confident_do_not_count_for_finding_it():
    right = np.arange(1000) >= CONFIG.ransac_cells
    map_T_camera = estimate_pose(image_of(correspondences(right)), CONFIG).map_T_camera
    assert map_T_camera is None or pose_error(map_T_camera, POSE)[0] > 0.5


def test_too_few_cells_have_no_pose():
    config = replace(CONFIG, min_inliers=0)
    estimate = estimate_pose(image_of(correspondences(np.ones(3, bool), count=3)), config)
    for each in (estimate, refine_estimate(estimate, config)):
        assert each.map_T_camera is None
        assert np.isinf(each.errors_N).all()
        assert inlier_count(each) == 0
        assert not each.is_supported


def test_a_second_pose_is_judged_by_the_correspondences_of_the_first():
    first = estimate_pose(image_of(correspondences(np.arange(1000) % 2 == 0)), CONFIG)
    guided = correspondences(np.ones(2000, bool), count=2000, sigma_px=0.1)
    second = reestimate_pose(first, image_of(guided), CONFIG)
    assert second.correspondences is first.correspondences
    assert inlier_count(second) == pytest.approx(500, abs=30)
    assert pose_error(second.map_T_camera, POSE)[0] < pose_error(first.map_T_camera, POSE)[0]
    assert reestimate_pose(first, image_of(guided.first(3)), CONFIG).map_T_camera is None


def test_a_pose_is_supported_by_enough_inliers():
    found = correspondences(np.ones(1000, bool))
    for min_inliers, expected in ((900, True), (1001, False)):
        estimate = evaluate_pose(image_of(found), found, POSE, replace(CONFIG, min_inliers=min_inliers))
        assert (estimate.errors_N[estimate.inliers_N] < CONFIG.max_error_px).all()
        assert estimate.is_supported is expected


@pytest.mark.parametrize("point", [[np.nan, 0, 0], [np.inf, 1, 1], POSE[:3, 3], POSE[:3, 3] - POSE[:3, 2]])
def test_a_point_that_the_camera_cannot_see_is_no_inlier(point):
    found = correspondences(np.ones(3, bool), count=3, sigma_px=0)
    found = replace(found, points_N3=np.vstack([found.points_N3[:2], point]))
    estimate = evaluate_pose(image_of(found), found, POSE, CONFIG)
    assert estimate.inliers_N.tolist() == [True, True, False]
    assert estimate.errors_N == pytest.approx([0, 0, np.inf], abs=1e-6)


@pytest.mark.parametrize(
    ("turn_deg", "move_m", "inside"), [(0, 0, True), (4, 0, True), (9, 0, False), (0, 0.2, True), (0, 2, False)]
)
def test_a_pose_far_from_the_expected_pose_is_outside_the_search(turn_deg, move_m, inside):
    turn = make_pose(cv2.Rodrigues(np.array([0.0, np.radians(turn_deg), 0.0]))[0], [move_m, 0.0, 0.0])
    found = correspondences(np.ones(200, bool), count=200, sigma_px=0)
    for map_T_expected, wanted in ((POSE @ turn, inside), (None, True)):
        query = SimpleNamespace(camera=found.camera)
        image = SimpleNamespace(query=query, area=SearchArea((), map_T_expected), local_radius_px=48.0)
        assert is_inside_search(evaluate_pose(image, found, POSE, CONFIG)) is wanted
        covered = correspondences(np.zeros(200, bool), count=200).first(0)
        assert is_inside_search(evaluate_pose(image, covered, POSE, CONFIG))


@needs_poselib
def test_the_cameras_of_a_rig_get_one_pose():
    rigs_T_camera = CAMERA_ALONE, make_pose(np.eye(3), [0.1, 0.2, 0.3])
    cells = [seen_from(POSE @ rig_T_camera, rig_T_camera) for rig_T_camera in rigs_T_camera]
    alone = [estimate_pose(image_of(each), CONFIG) for each in cells]
    together = estimate_rig_pose(alone, CONFIG)
    for estimate, first, rig_T_camera in zip(together, alone, rigs_T_camera, strict=True):
        assert estimate.correspondences is first.correspondences
        assert estimate.map_T_camera == pytest.approx(together[0].map_T_camera @ rig_T_camera)
        assert pose_error(estimate.map_T_camera, POSE @ rig_T_camera)[0] < 0.005


@needs_poselib
def test_a_rig_without_matches_has_no_pose():
    alone = [estimate_pose(image_of(correspondences(np.ones(1, bool), count=1)), CONFIG) for _ in range(2)]
    assert [estimate.map_T_camera for estimate in estimate_rig_pose(alone, CONFIG)] == [None, None]
