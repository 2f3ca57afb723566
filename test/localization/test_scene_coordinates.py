from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import invert, make_pose, transform
from dsm_ros.geometry.sampling import cell_centres
from dsm_ros.localization.result import SceneCoordinates
from dsm_ros.localization.scene_coordinates import complete_surface, spread

CAMERA = Camera(width_px=256, height_px=192, fx=200.0, fy=200.0, cx=127.5, cy=95.5)
HEIGHT, WIDTH = 24, 32
MAX_ERROR_PX = 8.0
POSE = make_pose(np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]), [1.0, 2.0, 3.0])
RAYS_P3 = CAMERA.unproject(cell_centres(WIDTH, HEIGHT, CAMERA.width_px, CAMERA.height_px))


def seen_from(depths_HW, map_T_camera=POSE):
    """What a camera sees of a surface at some depths, with one confidence everywhere."""
    points_P3 = transform(map_T_camera, RAYS_P3 * depths_HW.reshape(-1, 1))
    confidence_HW = np.full((HEIGHT, WIDTH), 0.4, np.float32)
    pixels_HW2, colors_HW3 = np.zeros((HEIGHT, WIDTH, 2), np.float32), np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    return SceneCoordinates(points_P3.reshape(HEIGHT, WIDTH, 3), confidence_HW, pixels_HW2, colors_HW3)


def slanted_wall():
    """Depths between 2 and 4 m: the inverse depth of a plane is affine in the pixel."""
    return 1 / np.linspace(1 / 2, 1 / 4, WIDTH)[None].repeat(HEIGHT, 0)


def misplaced(coordinates, wrong_HW):
    coords_HW3 = np.where(
        wrong_HW[..., None], coordinates.coords_HW3 + np.array([0.0, 3.0, 1.0]), coordinates.coords_HW3
    )
    return replace(coordinates, coords_HW3=coords_HW3)


def test_what_contradicts_the_pose_goes_on_as_the_surface_around_it():
    truth = seen_from(slanted_wall())
    wrong_HW = np.zeros((HEIGHT, WIDTH), bool)
    wrong_HW[8:14, 10:18] = True
    found = complete_surface(misplaced(truth, wrong_HW), POSE, CAMERA, MAX_ERROR_PX)
    errors_HW = np.linalg.norm(found.coords_HW3 - truth.coords_HW3, axis=2)
    assert errors_HW[~wrong_HW].max() < 1e-9
    assert errors_HW[wrong_HW].max() < 0.1


def test_confidence_says_what_was_matched_and_what_was_made_up():
    wrong_HW = np.zeros((HEIGHT, WIDTH), bool)
    wrong_HW[:, 16:] = True
    found = complete_surface(misplaced(seen_from(slanted_wall()), wrong_HW), POSE, CAMERA, MAX_ERROR_PX)
    assert found.confidence_HW[~wrong_HW] == pytest.approx(0.7)
    row_W = found.confidence_HW[12, 16:]
    assert (row_W < 0.5).all()
    assert (row_W > 0).all()
    assert row_W[0] > row_W[4] > row_W[15]


def test_a_coordinate_a_little_off_its_ray_is_moved_onto_it():
    truth = seen_from(np.full((HEIGHT, WIDTH), 2.0))
    beside = replace(truth, coords_HW3=truth.coords_HW3 + np.array([0.0, 0.05, 0.0]))  # 5 px to the side
    found = complete_surface(beside, POSE, CAMERA, MAX_ERROR_PX)
    assert found.coords_HW3 == pytest.approx(truth.coords_HW3)
    assert (found.confidence_HW >= 0.5).all()


def test_where_nothing_agrees_there_is_no_coordinate():
    everything = np.ones((HEIGHT, WIDTH), bool)
    found = complete_surface(misplaced(seen_from(slanted_wall()), everything), POSE, CAMERA, MAX_ERROR_PX)
    assert not found.confidence_HW.any()


def test_a_cell_without_a_coordinate_does_not_count_as_matched():
    seen = seen_from(np.full((HEIGHT, WIDTH), 2.0))
    confidence_HW = seen.confidence_HW.copy()
    confidence_HW[5, 5] = 0
    found = complete_surface(replace(seen, confidence_HW=confidence_HW), POSE, CAMERA, MAX_ERROR_PX)
    assert 0 < found.confidence_HW[5, 5] < 0.5


@given(st.floats(0.3, 20), st.floats(0.05, 0.95), st.integers(0, 2**32 - 1))
def test_every_coordinate_lies_on_its_ray(depth_m, share, seed):
    rng = np.random.default_rng(seed)
    depths_HW = depth_m * rng.uniform(0.7, 1.4, (HEIGHT, WIDTH))
    wrong_HW = rng.random((HEIGHT, WIDTH)) < share
    found = complete_surface(misplaced(seen_from(depths_HW), wrong_HW), POSE, CAMERA, MAX_ERROR_PX)
    points_P3 = transform(invert(POSE), found.coords_HW3.reshape(-1, 3))
    known_P = found.confidence_HW.ravel() > 0
    assert known_P.any()
    assert points_P3[known_P] / points_P3[known_P, 2:] == pytest.approx(RAYS_P3[known_P])
    assert (points_P3[known_P, 2] > 0).all()


@given(st.integers(0, 2**32 - 1))
def test_filled_values_are_between_those_they_are_made_of(seed):
    rng = np.random.default_rng(seed)
    known_HW = rng.random((HEIGHT, WIDTH)) < 0.1
    known_HW[3, 4] = True
    values_HW = np.where(known_HW, rng.uniform(1, 2, (HEIGHT, WIDTH)), 0)
    filled_HW, nearness_HW = spread(values_HW, known_HW)
    assert (filled_HW[known_HW] == values_HW[known_HW]).all()
    assert (nearness_HW[known_HW] == 1).all()
    reached_HW = nearness_HW > 0
    low, high = values_HW[known_HW].min(), values_HW[known_HW].max()
    assert ((filled_HW[reached_HW] >= low - 1e-9) & (filled_HW[reached_HW] <= high + 1e-9)).all()
