import numpy as np
import torch

from dsm_ros.network.features import gather_scene
from dsm_ros.network.grids import pixel_rays
from dsm_ros.network.surface import SPREAD_CELLS, expected_surface, grid_camera, visible_depths, visible_surface

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


def test_the_expected_surface_lies_on_the_rays_and_continues_into_holes():
    holed = gather_scene([make_keyframe(0, hole=True)]).levels[1]
    found_3HW = expected_surface(holed, CAMERA, 6, 8)
    rays_2HW = pixel_rays(CAMERA, 6, 8, found_3HW.device)
    assert torch.allclose(found_3HW[:2], rays_2HW * found_3HW[2])
    seen_HW = holed.valid_NHW[0]
    assert torch.allclose(found_3HW[:, seen_HW], holed.coords_N3HW[0][:, seen_HW], atol=1e-5)
    assert not seen_HW[0, 0]
    around = np.s_[: SPREAD_CELLS + 1, : SPREAD_CELLS + 1]
    assert torch.allclose(found_3HW[2, 0, 0], holed.coords_N3HW[0, 2][around][seen_HW[around]].min())


def test_the_expected_surface_is_finite_where_nothing_is_known():
    nothing = make_keyframe(0)
    for depth in nothing.depths:
        depth[:] = 0
    level = gather_scene([nothing]).levels[1]
    assert expected_surface(level, CAMERA, 6, 8).isfinite().all()
