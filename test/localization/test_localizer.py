import dataclasses

import cv2
import numpy as np
import pytest

from dsm_ros.datasets.rooms.sequence import open_rooms
from dsm_ros.evaluation.evaluate import evaluate
from dsm_ros.geometry.pose import make_pose, pose_error
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.localizer import Localizer
from dsm_ros.localization.matching import Matcher
from dsm_ros.localization.result import Localized, NotLocalized
from dsm_ros.localization.verification import verify
from dsm_ros.localization.view import single_view
from dsm_ros.network.temporal import PreviousFrame
from dsm_ros.scene_map.builder import build_map
from dsm_ros.scene_map.scene_map import SceneMap

from .recorder import Recorder


def localizer_on(uri, network, **changes):
    return Localizer(SceneMap.open(uri, network.model_hash), network, dataclasses.replace(LocalizerConfig(), **changes))


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
    localizer = Localizer(SceneMap.open(room_map, network.model_hash), network, matcher=recorder)
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
    localizer = Localizer(scene_map, network, LocalizerConfig(), WithPrevious(network, previous))
    result = localizer.localize(
        single_view(elsewhere[1].image_HW3, elsewhere.camera), 10**9 + 10**8, previous.map_T_camera
    )
    assert isinstance(result, NotLocalized)


def test_a_pose_is_verified_once(room_map, network, monkeypatch):
    verified = []

    def counting(candidate, covariance_66, config):
        verified.append(candidate)
        return verify(candidate, covariance_66, config)

    monkeypatch.setattr("dsm_ros.localization.localizer.verify", counting)
    frame = open_rooms("rooms:7/walk=1")[40]
    result = localizer_on(room_map, network).localize(single_view(frame.image_HW3, frame.camera), 0)
    assert isinstance(result, Localized)
    assert len(verified) == 1


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


def test_a_clear_image_needs_the_first_keyframes_and_others_need_all(room_map, network):
    localizer = localizer_on(room_map, network)
    used = []
    for sequence, index in (("rooms:7/walk=1", 40), ("rooms:8/walk=1", 40)):
        frame = open_rooms(sequence)[index]
        result = localizer.localize(single_view(frame.image_HW3, frame.camera), 0)
        used.append((isinstance(result, Localized), len(result.support.keyframe_ids)))
    assert used == [(True, localizer.config.first_keyframes), (False, localizer.config.keyframes)]


def test_an_expected_pose_needs_fewer_keyframes(room_map, network):
    frame = open_rooms("rooms:7/walk=1")[40]
    localizer = localizer_on(room_map, network)
    result = localizer.localize(single_view(frame.image_HW3, frame.camera), 0, prior=frame.map_T_camera)
    assert pose_error(result.map_T_camera, frame.map_T_camera)[0] < 0.02
    nearest = localizer.scene_map.nearest(frame.map_T_camera, localizer.config.near_keyframes)
    assert list(result.support.keyframe_ids[: len(nearest)]) == nearest
    assert len(result.support.keyframe_ids) == localizer.config.first_keyframes < localizer.config.keyframes
    fewer = localizer_on(room_map, network, keyframes=3)
    result = fewer.localize(single_view(frame.image_HW3, frame.camera), 0, prior=frame.map_T_camera)
    assert len(result.support.keyframe_ids) == 3


def test_a_video_expects_the_pose_of_the_previous_frame(room_map, network):
    room = open_rooms("rooms:7/walk=1")
    localizer = localizer_on(room_map, network)
    first = localizer.localize(single_view(room[40].image_HW3, room.camera), 10**9)
    nearest = localizer.scene_map.nearest(first.map_T_camera, localizer.config.near_keyframes)
    soon = localizer.localize(single_view(room[42].image_HW3, room.camera), 10**9 + 10**8)
    assert list(soon.support.keyframe_ids[: len(nearest)]) == nearest
    told = localizer.localize(
        single_view(room[44].image_HW3, room.camera), 10**9 + 2 * 10**8, prior=room[190].map_T_camera
    )
    assert isinstance(told, Localized)
    assert list(told.support.keyframe_ids[: len(nearest)]) != nearest
    alone = localizer_on(room_map, network, temporal=False)
    alone.localize(single_view(room[40].image_HW3, room.camera), 10**9)
    alike = localizer.scene_map.retrieve(network.encode(room[42].image_HW3, room.camera).descriptor_D, 4)
    assert (
        list(alone.localize(single_view(room[42].image_HW3, room.camera), 10**9 + 10**8).support.keyframe_ids) == alike
    )


def test_a_camera_that_is_not_where_it_is_expected_is_searched_for(room_map, network):
    room = open_rooms("rooms:7/walk=1")
    localizer = localizer_on(room_map, network, near_keyframes=4)
    frame, elsewhere = room[40], room[190]
    result = localizer.localize(single_view(frame.image_HW3, frame.camera), 0, prior=elsewhere.map_T_camera)
    assert pose_error(result.map_T_camera, frame.map_T_camera)[0] < 0.02
    assert len(result.support.keyframe_ids) == localizer.config.keyframes


def test_an_image_is_searched_for_elsewhere_only_if_its_pose_is_not_the_expected_one(room_map, network):
    room = open_rooms("rooms:7/walk=1")
    recorder = Recorder(network)
    localizer = Localizer(SceneMap.open(room_map, network.model_hash), network, matcher=recorder)
    frame = room[40]
    for prior, then in ((frame.map_T_camera, []), (room[190].map_T_camera, [None])):
        recorder.expected.clear()
        result = localizer.localize(single_view(frame.image_HW3, frame.camera), 0, prior=prior)
        assert pose_error(result.map_T_camera, frame.map_T_camera)[0] < 0.02
        assert np.array_equal(recorder.expected[0], prior)
        assert recorder.expected[1:2] == then


def test_the_image_after_a_rejected_one_is_matched_once_against_all_keyframes(room_map, network):
    elsewhere, room = open_rooms("rooms:8/walk=1"), open_rooms("rooms:7/walk=1")
    recorder = Recorder(network)
    localizer = Localizer(SceneMap.open(room_map, network.model_hash), network, matcher=recorder)
    matches = []
    for frame, stamp_s in ((elsewhere[40], 1.0), (elsewhere[42], 1.1), (elsewhere[44], 3.0), (room[40], 3.1)):
        recorder.expected.clear()
        result = localizer.localize(single_view(frame.image_HW3, frame.camera), int(stamp_s * 1e9))
        matches.append((isinstance(result, Localized), len(recorder.expected)))
    assert matches == [(False, 2), (False, 1), (False, 2), (True, 1)]
    assert len(result.support.keyframe_ids) == localizer.config.keyframes


@pytest.mark.parametrize("walls", ["", ",blank=1,exposure=1,blur=1"])
def test_no_wrong_expected_pose_is_confirmed(walls, tmp_path, network):
    """A match around a wrong pose finds the right pose nearby, or is rejected and the whole map is searched."""
    room, images = open_rooms("rooms:3/size=320x240" + walls[:8]), open_rooms("rooms:3/walk=1,size=320x240" + walls)
    uri = str(tmp_path / "map")
    build_map(room, range(0, 300, 15), uri, network, "room", False, quiet)
    localizer = localizer_on(uri, network, temporal=False)
    for index in range(20, 300, 40):
        image, elsewhere = images[index], images[(index + 100) % 300]
        turned = image.map_T_camera @ make_pose(cv2.Rodrigues(np.array([0.0, 0.3, 0.0]))[0], [0.3, 0.0, 0.0])
        for prior in (elsewhere.map_T_camera, turned):
            result = localizer.localize(single_view(image.image_HW3, image.camera), 0, prior=prior)
            assert isinstance(result, NotLocalized) or pose_error(result.map_T_camera, image.map_T_camera)[0] < 0.5


def test_more_keyframes_around_the_pose_found_make_more_coordinates(room_map, network):
    room = open_rooms("rooms:7/walk=1")
    one = localizer_on(room_map, network, temporal=False, guided_keyframes=1, guided_nearest_keyframes=1)
    six = localizer_on(room_map, network, temporal=False)
    shares = [evaluate(each, room, range(0, 300, 60), quiet).figures["coordinate_within_10cm"] for each in (one, six)]
    assert shares[0] + 0.02 < shares[1]


def test_an_image_whose_first_match_supports_no_pose_has_no_guided_match(room_map, network):
    frame = open_rooms("rooms:7/walk=1")[40]
    recorder = Recorder(network)
    scene_map = SceneMap.open(room_map, network.model_hash)
    needs_more = LocalizerConfig(min_inliers=LocalizerConfig.pnp_cells + 1)
    Localizer(scene_map, network, needs_more, recorder).localize(single_view(frame.image_HW3, frame.camera), 0)
    assert not recorder.previous
    Localizer(scene_map, network, matcher=recorder).localize(single_view(frame.image_HW3, frame.camera), 0)
    assert recorder.previous == [None]
