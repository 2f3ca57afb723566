"""The first match and the guided match of one image of a rendered room."""

import cv2
import numpy as np
import pytest

from dsm_ros.datasets.rooms.sequence import open_rooms
from dsm_ros.geometry.pnp import reprojection_errors
from dsm_ros.geometry.pose import make_pose, pose_error
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.matching import Matcher, SearchArea, keyframes_around
from dsm_ros.localization.pose_estimation import estimate_pose, reestimate_pose
from dsm_ros.localization.view import single_view
from dsm_ros.scene_map.scene_map import SceneMap

CONFIG = LocalizerConfig()


@pytest.fixture(scope="module")
def frame():
    return open_rooms("rooms:7/walk=1")[40]


@pytest.fixture
def scene_map(room_map, network):
    return SceneMap.open(room_map, network.model_hash)


@pytest.fixture
def matcher(network):
    return Matcher(network)


@pytest.fixture
def image(matcher, scene_map, network, frame):
    """The frame matched against the keyframes nearest to it."""
    (view,) = single_view(frame.image_HW3, frame.camera)
    area = SearchArea(tuple(scene_map.nearest(frame.map_T_camera, 4)))
    query = network.encode(view.image_HW3, view.camera)
    return matcher.first_match(view, query, area, scene_map.features(area.keyframe_ids))


def test_a_match_around_the_expected_pose_is_as_good_as_one_of_the_whole_scene(matcher, scene_map, image, frame):
    shifted = frame.map_T_camera @ make_pose(cv2.Rodrigues(np.array([0.0, 0.03, 0.0]))[0], [0.03, 0.0, 0.0])
    area = SearchArea(image.area.keyframe_ids, shifted)
    local = matcher.first_match(image.view, image.query, area, image.keyframes)
    right = [
        reprojection_errors(cells.pixels_N2, cells.points_N3, cells.camera, frame.map_T_camera) < CONFIG.max_error_px
        for cells in (local.cells, image.cells)
    ]
    assert right[0].mean() > 0.95 * right[1].mean() > 0.3
    assert pose_error(estimate_pose(local, CONFIG).map_T_camera, frame.map_T_camera)[0] < 0.02


def test_a_guided_match_improves_the_pose_and_leaves_the_first_correspondences(matcher, scene_map, image, frame):
    first = estimate_pose(image, CONFIG)
    keyframes = keyframes_around(scene_map, image, first.map_T_camera, CONFIG)
    guided = matcher.guided_match(image, first.map_T_camera, keyframes, None)
    second = reestimate_pose(first, guided, CONFIG)
    assert second.correspondences is first.correspondences
    assert guided.match.confidence > image.match.confidence
    assert pose_error(second.map_T_camera, frame.map_T_camera)[0] < 0.02
    assert guided.area == image.area
    assert guided.is_guided
    assert not image.is_guided


def test_the_most_confident_cells_come_first(image):
    confidence_N = image.cells.most_confident(50).confidence_N
    assert len(confidence_N) == 50
    assert (confidence_N[:-1] >= confidence_N[1:]).all()
    assert confidence_N[-1] >= image.cells.most_confident(100).confidence_N[-1]
    assert image.cells.confidence_N.max() == confidence_N[0]
