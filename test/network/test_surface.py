import numpy as np
import torch

from dsm_ros.network.features import gather_scene
from dsm_ros.network.surface import grid_camera, visible_depths, visible_surface

from .conftest import CAMERA, make_keyframe


def on_grid(level, camera_T_local):
    return grid_camera(level.coords_N3HW, CAMERA, camera_T_local, 6, 8)


def test_the_surface_in_the_view_of_a_keyframe_is_its_own():
    scene = gather_scene([make_keyframe(0, hole=True)])
    level = scene.levels[1]
    surface_3HW, seen_HW = visible_surface(level, on_grid(level, np.eye(4)))
    assert torch.equal(seen_HW, level.valid_NHW[0])
    assert torch.allclose(surface_3HW, level.coords_N3HW[0] * level.valid_NHW[0], atol=1e-6)


def test_of_two_points_in_a_cell_the_nearer_is_visible():
    near = make_keyframe(0)
    for depth in near.depths:
        depth[:] = 1.0
    scene = gather_scene([make_keyframe(0), near])
    surface_3HW, _ = visible_surface(scene.levels[1], on_grid(scene.levels[1], np.eye(4)))
    assert torch.allclose(surface_3HW[2], torch.ones(6, 8))


def test_nothing_behind_the_camera_is_visible():
    behind = np.diag([1.0, -1.0, -1.0, 1.0])
    level = gather_scene([make_keyframe(0)]).levels[1]
    _, seen_HW = visible_surface(level, on_grid(level, behind))
    assert not seen_HW.any()


def test_each_image_has_its_own_depth_in_a_cell():
    near = make_keyframe(0)
    for depth in near.depths:
        depth[:] = 1.0
    level = gather_scene([make_keyframe(0, hole=True), near]).levels[1]
    depths_NHW = visible_depths(level, on_grid(level, np.eye(4)))
    assert torch.equal(depths_NHW[0].isfinite(), level.valid_NHW[0])
    assert torch.allclose(depths_NHW[0][level.valid_NHW[0]], level.coords_N3HW[0, 2][level.valid_NHW[0]])
    assert torch.allclose(depths_NHW[1], torch.ones(6, 8))
