"""Choice of the keyframes and of the area that an image is matched against, in single images and in videos."""

import cv2
import numpy as np
import pytest

from dsm_ros.datasets.rooms.sequence import open_rooms
from dsm_ros.geometry.pose import make_pose, pose_error
from dsm_ros.localization.localizer import Localizer
from dsm_ros.localization.result import Localized, NotLocalized
from dsm_ros.localization.view import single_view
from dsm_ros.scene_map.builder import build_map
from dsm_ros.scene_map.scene_map import SceneMap

from .localizers import Recorder, localizer_on


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
    build_map(room, range(0, 300, 15), uri, network, "room", False, lambda done, total: None)
    localizer = localizer_on(uri, network, temporal=False)
    for index in range(20, 300, 40):
        image, elsewhere = images[index], images[(index + 100) % 300]
        turned = image.map_T_camera @ make_pose(cv2.Rodrigues(np.array([0.0, 0.3, 0.0]))[0], [0.3, 0.0, 0.0])
        for prior in (elsewhere.map_T_camera, turned):
            result = localizer.localize(single_view(image.image_HW3, image.camera), 0, prior=prior)
            assert isinstance(result, NotLocalized) or pose_error(result.map_T_camera, image.map_T_camera)[0] < 0.5


def test_a_fast_turn_over_a_repeated_texture_gives_no_pose_one_period_aside(tmp_path, network):
    """The camera turns by 12 degrees in 0.2 s, so the right cells are outside the match around the previous pose."""
    uri = str(tmp_path / "map")
    build_map(open_rooms("rooms:100"), range(0, 300, 10), uri, network, "room", False, lambda done, total: None)
    recorder, images = Recorder(network), open_rooms("rooms:100/walk=1")
    localizer = Localizer(SceneMap.open(uri, network.model_hash), network, matcher=recorder)
    for index in (54, 60):
        recorder.expected.clear()
        frame = images[index]
        result = localizer.localize(single_view(frame.image_HW3, frame.camera), frame.stamp_ns)
        assert pose_error(result.map_T_camera, frame.map_T_camera)[0] < 0.02
    assert recorder.expected[0] is not None
    assert recorder.expected[1:] == [None]
