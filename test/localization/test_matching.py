import dataclasses

import pytest

from dsm_ros.datasets.rooms.sequence import open_rooms
from dsm_ros.geometry.pose import pose_error
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.matching import Matcher
from dsm_ros.localization.stopwatch import Stopwatch
from dsm_ros.localization.view import single_view
from dsm_ros.scene_map.scene_map import SceneMap

CONFIG = LocalizerConfig()


@pytest.fixture(scope="module")
def frame():
    return open_rooms("rooms:7/walk=1")[40]


@pytest.fixture
def matcher(room_map, network):
    return Matcher(SceneMap.open(room_map, network.model_hash), network)


@pytest.fixture
def first(matcher, room_map, network, frame):
    """The frame matched against the keyframes nearest to it."""
    (view,) = single_view(frame.image_HW3, frame.camera)
    ids = SceneMap.open(room_map, network.model_hash).nearest(frame.map_T_camera, 4)
    return matcher.first_match(view, network.encode(view.image_HW3, view.camera), ids, CONFIG, Stopwatch())


def test_without_keyframes_there_is_no_match(matcher, first):
    assert matcher.first_match(first.view, first.query, [], CONFIG, Stopwatch()) is None


def test_a_guided_match_refines_the_pose_and_is_judged_by_the_first_correspondences(matcher, first, frame):
    guided = matcher.guided_match(first, None, CONFIG, Stopwatch())
    assert guided.estimate.correspondences is first.estimate.correspondences
    assert guided.match.confidence > first.match.confidence
    assert pose_error(guided.estimate.map_T_camera, frame.map_T_camera)[0] < 0.02
    assert guided.keyframe_ids == first.keyframe_ids


def test_a_first_match_that_supports_no_pose_is_left_as_it_was(matcher, first):
    needs_more = dataclasses.replace(CONFIG, min_inliers=CONFIG.pnp_cells + 1)
    assert matcher.guided_match(first, None, needs_more, Stopwatch()) is first


def test_the_most_confident_cells_come_first(first):
    confidence_N = first.correspondences(50).confidence_N
    assert len(confidence_N) == 50
    assert (confidence_N[:-1] >= confidence_N[1:]).all()
    assert confidence_N[-1] >= first.correspondences(100).confidence_N[-1]
