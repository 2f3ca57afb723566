import dataclasses

import numpy as np
import pytest

from dsm_ros.datasets.rooms.sequence import open_rooms
from dsm_ros.evaluation.evaluate import evaluate
from dsm_ros.geometry.pose import pose_error
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.localizer import Localizer
from dsm_ros.localization.matching import Matcher
from dsm_ros.localization.refinement import Refiner
from dsm_ros.localization.result import Localized, NotLocalized
from dsm_ros.localization.view import single_view
from dsm_ros.network.dsm_net import DsmNet
from dsm_ros.network.temporal import PreviousFrame
from dsm_ros.scene_map.scene_map import SceneMap

from .localizers import ALWAYS_GUIDED, Recorder, localizer_on, needs_poselib


class WithPrevious(Matcher):
    """A matcher that fuses as much as it may of a previous frame that was given to it."""

    def __init__(self, network, previous):
        super().__init__(network, lambda confidence: 0.4)
        self.previous = previous

    def guided_match(self, image, map_T_camera, keyframes, previous):
        return super().guided_match(image, map_T_camera, keyframes, self.previous)


def quiet(done, total):
    pass


def test_another_walk_through_a_room_is_localized(room_map, network):
    figures = evaluate(localizer_on(room_map, network), open_rooms("rooms:7/walk=1"), range(0, 300, 20), quiet).figures
    assert figures["n_localized"] >= 14
    assert figures["median_translation_m"] < 0.02
    assert figures["median_rotation_deg"] < 1.0
    assert figures["false_accepts_over_50cm"] == 0
    assert figures["coordinate_within_10cm"] > 0.6
    assert figures["confidence_auc"] > 0.6


def test_the_kitchen_is_localized_near_its_map(kitchen_map, kitchen, network):
    figures = evaluate(localizer_on(kitchen_map, network), kitchen, range(5, 220, 20), quiet).figures
    assert figures["n_localized"] >= 10
    assert figures["median_translation_m"] < 0.06
    assert figures["median_rotation_deg"] < 2.0


def test_images_encoded_ahead_give_the_same_poses_and_the_time_of_all_stages(room_map, network):
    localizers = [localizer_on(room_map, network) for _ in range(2)]
    for index in (5, 9):
        frame = open_rooms("rooms:7/walk=1")[index]
        views = single_view(frame.image_HW3, frame.camera)
        ahead = localizers[0].encode_ahead(views)
        found = localizers[0].localize(ahead, frame.stamp_ns)
        wanted = localizers[1].localize(views, frame.stamp_ns)
        assert np.array_equal(found.map_T_camera, wanted.map_T_camera)
        times = found.times_ms
        assert times.encode == pytest.approx(ahead[0].encoded.ms)
        assert times.total >= times.encode + times.retrieve + times.match + times.pnp


def test_features_of_another_network_are_not_used(room_map, network):
    other = DsmNet(dataclasses.replace(network.config, long_side_px=256), network.model_hash, network)
    frame = open_rooms("rooms:7/walk=1")[5]
    views = single_view(frame.image_HW3, frame.camera)
    ahead = localizer_on(room_map, other).encode_ahead(views)
    found, wanted = (localizer_on(room_map, network).localize(each, frame.stamp_ns) for each in (ahead, views))
    assert np.array_equal(found.map_T_camera, wanted.map_T_camera)


def test_other_places_are_refused_with_the_number_that_failed(kitchen_map, network, shared_data):
    from dsm_ros.datasets.open_sequence import open_sequence

    desk = open_sequence(str(shared_data / "fr1_rpy"))
    localizer = localizer_on(kitchen_map, network)
    for index in range(0, 240, 20):
        frame = desk[index]
        result = localizer.localize(single_view(frame.image_HW3, frame.camera), frame.stamp_ns)
        assert isinstance(result, NotLocalized)
        assert any(character.isdigit() for character in result.detail)


def test_the_previous_frame_counts_only_when_recent(room_map, network):
    room = open_rooms("rooms:7/walk=1")
    recorder = Recorder(network)
    localizer = Localizer(SceneMap.open(room_map, network.model_hash), network, ALWAYS_GUIDED, recorder)
    views = single_view(room[10].image_HW3, room.camera)

    def previous_at(stamp_ns):
        localizer.reset()
        localizer.localize(views, 10**9)
        assert isinstance(localizer.localize(views, stamp_ns), Localized)
        return recorder.previous[-1]

    assert previous_at(10**9 + 10**8).stamp_ns == 10**9
    for stamp_ns in (10**9, 10**9 - 1, 2 * 10**9):
        assert previous_at(stamp_ns) is None
    localizer.reset()
    localizer.localize(views, 10**9 + 10**8)
    assert recorder.previous[-1] is None


def test_the_previous_frame_cannot_vouch_for_a_place_off_the_map(room_map, network):
    """Two neighbouring images of a place off the map agree, the first one wrongly located in the map."""
    room, elsewhere = open_rooms("rooms:7"), open_rooms("rooms:8")
    scene_map = SceneMap.open(room_map, network.model_hash)
    previous = PreviousFrame(network.encode(elsewhere[0].image_HW3, elsewhere.camera), room[0].map_T_camera, 10**9)
    localizer = Localizer(scene_map, network, ALWAYS_GUIDED, WithPrevious(network, previous))
    result = localizer.localize(
        single_view(elsewhere[1].image_HW3, elsewhere.camera), 10**9 + 10**8, previous.map_T_camera
    )
    assert isinstance(result, NotLocalized)


class CountingRefiner(Refiner):
    """Refines as ever, and counts the poses."""

    def __init__(self, scene_map):
        super().__init__(scene_map)
        self.count = 0

    def refine(self, views, map_T_rig):
        self.count += 1
        return super().refine(views, map_T_rig)


@pytest.mark.parametrize("cameras", [1, pytest.param(2, marks=needs_poselib)])
def test_one_pose_of_all_cameras_is_refined_and_verified_once(cameras, room_map, network):
    scene_map = SceneMap.open(room_map, network.model_hash)
    refiner = CountingRefiner(scene_map)
    frame = open_rooms("rooms:7/walk=1")[40]
    (view,) = single_view(frame.image_HW3, frame.camera)
    views = [dataclasses.replace(view, name=f"camera{number}") for number in range(cameras)]
    assert isinstance(Localizer(scene_map, network, refiner=refiner).localize(views, 0), Localized)
    assert refiner.count == 1


def test_a_black_image_has_no_pose(room_map, network):
    room = open_rooms("rooms:7")
    result = localizer_on(room_map, network).localize(single_view(np.zeros_like(room[0].image_HW3), room.camera), 0)
    assert isinstance(result, NotLocalized)


def test_dense_coordinates_lie_in_the_map_frame(room_map, network):
    room = open_rooms("rooms:7/walk=1")
    frame = room[40]
    result = localizer_on(room_map, network).localize(single_view(frame.image_HW3, frame.camera), 0)
    coordinates = result.coordinates
    assert coordinates.coords_HW3.shape == (48, 64, 3)
    sure = coordinates.confidence_HW > np.median(coordinates.confidence_HW)
    inside = ((coordinates.coords_HW3 > -0.1) & (coordinates.coords_HW3 < room.room.size_3 + 0.1)).all(-1)
    assert inside[sure].mean() > 0.95
    assert coordinates.pixels_HW2[0, 0] == pytest.approx([4.5, 4.5], abs=0.01)


def test_a_look_alike_in_the_kitchen_is_refused_by_what_the_map_shows_around_it(kitchen_map, kitchen, network):
    """A sixth of all cells agree with a pose 0.9 m off, but of those that would see the map from there only few."""
    localizer = localizer_on(kitchen_map, network, temporal=False)
    for index in (380, 384):
        frame = kitchen[index]
        result = localizer.localize(single_view(frame.image_HW3, frame.camera), frame.stamp_ns)
        assert isinstance(result, NotLocalized)
        assert result.support.confidence < localizer.config.min_confidence / 2


def test_more_keyframes_around_the_pose_found_make_more_coordinates(room_map, network):
    room = open_rooms("rooms:7/walk=1")
    config = dataclasses.replace(ALWAYS_GUIDED, temporal=False)
    few = dataclasses.replace(config, guided_keyframes=1, guided_nearest_keyframes=1)
    scene_map = SceneMap.open(room_map, network.model_hash)
    one, six = (Localizer(scene_map, network, each) for each in (few, config))
    shares = [evaluate(each, room, range(0, 300, 60), quiet).figures["coordinate_within_10cm"] for each in (one, six)]
    assert shares[0] + 0.02 < shares[1]


def test_an_image_whose_first_match_supports_no_pose_has_no_guided_match(room_map, network):
    frame = open_rooms("rooms:7/walk=1")[40]
    recorder = Recorder(network)
    scene_map = SceneMap.open(room_map, network.model_hash)
    needs_more = dataclasses.replace(ALWAYS_GUIDED, min_inliers=LocalizerConfig.pnp_cells + 1)
    Localizer(scene_map, network, needs_more, recorder).localize(single_view(frame.image_HW3, frame.camera), 0)
    assert not recorder.previous
    Localizer(scene_map, network, ALWAYS_GUIDED, recorder).localize(single_view(frame.image_HW3, frame.camera), 0)
    assert recorder.previous == [None]


def test_a_confident_first_match_is_followed_by_no_guided_match(room_map, network):
    frame = open_rooms("rooms:7/walk=1")[40]
    recorder = Recorder(network)
    localizer = Localizer(SceneMap.open(room_map, network.model_hash), network, matcher=recorder)
    result = localizer.localize(single_view(frame.image_HW3, frame.camera), 0)
    assert pose_error(result.map_T_camera, frame.map_T_camera)[0] < 0.01
    assert not recorder.previous
