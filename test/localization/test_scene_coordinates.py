from dataclasses import replace

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dsm_ros.datasets.rooms.sequence import open_rooms
from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.correspondences import Correspondences
from dsm_ros.geometry.pose import invert, make_pose, transform
from dsm_ros.geometry.sampling import cell_centres
from dsm_ros.localization.matching import Matcher, SearchArea
from dsm_ros.localization.scene_coordinates import MAP_CONFIDENCE, complete_surface, map_depths, spread
from dsm_ros.localization.view import single_view
from dsm_ros.scene_map.scene_map import SceneMap

CAMERA = Camera(width_px=256, height_px=192, fx=200.0, fy=200.0, cx=127.5, cy=95.5)
HEIGHT, WIDTH = 24, 32
MAX_ERROR_PX = 8.0
POSE = make_pose(np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]]), [1.0, 2.0, 3.0])
PIXELS_P2 = cell_centres(WIDTH, HEIGHT, CAMERA.width_px, CAMERA.height_px)
RAYS_P3 = CAMERA.unproject(PIXELS_P2)
NO_MAP_HW = np.zeros((HEIGHT, WIDTH))


def seen_from(depths_HW, map_T_camera=POSE):
    """The cells of a camera that sees a surface at some depths, with one confidence everywhere."""
    points_P3 = transform(map_T_camera, RAYS_P3 * depths_HW.reshape(-1, 1))
    return Correspondences(PIXELS_P2, points_P3, np.full(len(points_P3), 0.4, np.float32), CAMERA, np.eye(4))


def completed(cells, map_depths_HW=NO_MAP_HW):
    return complete_surface(cells, RAYS_P3, map_depths_HW, POSE, MAX_ERROR_PX)


def slanted_wall():
    """Depths between 2 and 4 m: the inverse depth of a plane is affine in the pixel."""
    return 1 / np.linspace(1 / 2, 1 / 4, WIDTH)[None].repeat(HEIGHT, 0)


def misplaced(cells, wrong_HW):
    wrong_P1 = wrong_HW.reshape(-1, 1)
    return replace(cells, points_N3=np.where(wrong_P1, cells.points_N3 + np.array([0.0, 3.0, 1.0]), cells.points_N3))


def grid(cells):
    return cells.points_N3.reshape(HEIGHT, WIDTH, 3)


def test_what_contradicts_the_pose_goes_on_as_the_surface_around_it():
    truth = seen_from(slanted_wall())
    wrong_HW = np.zeros((HEIGHT, WIDTH), bool)
    wrong_HW[8:14, 10:18] = True
    coords_HW3, _ = completed(misplaced(truth, wrong_HW))
    errors_HW = np.linalg.norm(coords_HW3 - grid(truth), axis=2)
    assert errors_HW[~wrong_HW].max() < 1e-9
    assert errors_HW[wrong_HW].max() < 0.1


def test_confidence_says_what_was_matched_and_what_was_made_up():
    wrong_HW = np.zeros((HEIGHT, WIDTH), bool)
    wrong_HW[:, 16:] = True
    _, confidence_HW = completed(misplaced(seen_from(slanted_wall()), wrong_HW))
    assert confidence_HW[~wrong_HW] == pytest.approx(0.7)
    row_W = confidence_HW[12, 16:]
    assert (row_W < 0.5).all()
    assert (row_W > 0).all()
    assert row_W[0] > row_W[4] > row_W[15]


def test_what_contradicts_the_pose_gets_the_depth_of_the_map_where_the_map_has_a_surface():
    truth = seen_from(np.full((HEIGHT, WIDTH), 2.0))
    wrong_HW = np.zeros((HEIGHT, WIDTH), bool)
    wrong_HW[8:14, 10:18] = True
    pillar_HW = np.zeros((HEIGHT, WIDTH))
    pillar_HW[:, 12] = 1.5  # in front of the wall; only where the match contradicts the pose does the map count
    coords_HW3, confidence_HW = completed(misplaced(truth, wrong_HW), pillar_HW)
    assert coords_HW3[8:14, 12] == pytest.approx(grid(seen_from(pillar_HW))[8:14, 12])
    assert coords_HW3[~wrong_HW] == pytest.approx(grid(truth)[~wrong_HW])
    assert confidence_HW[8:14, 12] == pytest.approx(MAP_CONFIDENCE)


def test_a_coordinate_a_little_off_its_ray_is_moved_onto_it():
    truth = seen_from(np.full((HEIGHT, WIDTH), 2.0))
    beside = replace(truth, points_N3=truth.points_N3 + np.array([0.0, 0.05, 0.0]))  # 5 px to the side
    coords_HW3, confidence_HW = completed(beside)
    assert coords_HW3 == pytest.approx(grid(truth))
    assert (confidence_HW >= 0.5).all()


def test_where_nothing_agrees_there_is_no_coordinate():
    everything = np.ones((HEIGHT, WIDTH), bool)
    _, confidence_HW = completed(misplaced(seen_from(slanted_wall()), everything))
    assert not confidence_HW.any()


def test_a_cell_without_a_coordinate_does_not_count_as_matched():
    seen = seen_from(np.full((HEIGHT, WIDTH), 2.0))
    seen.confidence_N[5 * WIDTH + 5] = 0
    _, confidence_HW = completed(seen)
    assert 0 < confidence_HW[5, 5] < 0.5


@given(st.floats(0.3, 20), st.floats(0.05, 0.95), st.integers(0, 2**32 - 1))
def test_every_coordinate_lies_on_its_ray(depth_m, share, seed):
    rng = np.random.default_rng(seed)
    depths_HW = depth_m * rng.uniform(0.7, 1.4, (HEIGHT, WIDTH))
    wrong_HW = rng.random((HEIGHT, WIDTH)) < share
    coords_HW3, confidence_HW = completed(misplaced(seen_from(depths_HW), wrong_HW))
    points_P3 = transform(invert(POSE), coords_HW3.reshape(-1, 3))
    known_P = confidence_HW.ravel() > 0
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


def test_the_depths_of_the_map_are_those_of_its_surface_and_only_a_first_match_needs_them(room_map, network):
    frame = open_rooms("rooms:7/walk=1")[40]
    (view,) = single_view(frame.image_HW3, frame.camera)
    scene_map, matcher = SceneMap.open(room_map, network.model_hash), Matcher(network)
    keyframes = scene_map.features(scene_map.nearest(frame.map_T_camera, 4))
    image = matcher.first_match(view, network.encode(view.image_HW3, view.camera), SearchArea(()), keyframes)
    depths_HW, size = map_depths(image, frame.map_T_camera), image.match.confidence_HW.shape
    shown_HW = depths_HW > 0
    true_HW = cv2.resize(frame.depth_HW, size[::-1], interpolation=cv2.INTER_NEAREST)
    assert shown_HW.mean() > 0.5
    assert np.median(np.abs(depths_HW - true_HW)[shown_HW]) < 0.03
    guided = matcher.guided_match(image, frame.map_T_camera, [], None)
    assert not map_depths(guided, frame.map_T_camera).any()
