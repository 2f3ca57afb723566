from dataclasses import replace

import numpy as np
import pytest
import torch

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import make_pose, pose_error, transform
from dsm_ros.localization.attempt import Attempt, solve_certain_first
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.network.dsm_net import DenseMatch

CAMERA = Camera(width_px=512, height_px=384, fx=400.0, fy=400.0, cx=255.5, cy=191.5)
POSE = make_pose(np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]), [1.0, 2.0, 3.0])
CONFIG = LocalizerConfig()


def attempt(right, count=1000, sigma_px=2.0):
    """Correspondences, most certain first, of which some (a mask) are right up to noise."""
    rng = np.random.default_rng(0)
    pixels_C2 = rng.uniform((0, 0), (511, 383), (count, 2))
    depths_C1 = rng.uniform(1, 5, (count, 1))
    points_C3 = transform(POSE, CAMERA.unproject(pixels_C2 + rng.normal(0, sigma_px, (count, 2))) * depths_C1)
    points_C3[~right] = rng.uniform(-5, 5, (int((~right).sum()), 3))
    match = DenseMatch(torch.zeros(1, 1, 3), torch.zeros(1, 1), ())
    return Attempt(match, points_C3, pixels_C2, points_C3, np.linspace(1, 0.1, count, dtype=np.float32), None)


def test_the_most_certain_cells_find_the_pose_and_all_make_it_precise():
    rng = np.random.default_rng(1)
    found = attempt(rng.random(1000) < 0.6)
    errors_m = []
    for few in (20, CONFIG.ransac_cells):
        pnp = solve_certain_first(found, CAMERA, replace(CONFIG, ransac_cells=few))
        assert pnp.inliers_N.sum() == pytest.approx(600, abs=40)
        errors_m.append(pose_error(pnp.map_T_camera, POSE)[0])
    assert max(errors_m) < 0.005
    assert errors_m[0] == pytest.approx(errors_m[1], abs=1e-3)


def test_right_cells_that_are_not_certain_do_not_count_for_finding_it():
    right = np.arange(1000) >= CONFIG.ransac_cells
    pnp = solve_certain_first(attempt(right), CAMERA, CONFIG)
    assert pnp is None or pose_error(pnp.map_T_camera, POSE)[0] > 0.5


def test_too_few_cells_have_no_pose():
    assert solve_certain_first(attempt(np.ones(3, bool), count=3), CAMERA, CONFIG) is None
