import numpy as np
import pytest

from dsm_ros.datasets.rooms.sequence import open_rooms
from dsm_ros.geometry.pose import invert, pose_error, transform
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.covariance import position_deviation_m
from dsm_ros.localization.localizer import Localizer
from dsm_ros.localization.result import Localized, NotLocalized
from dsm_ros.localization.view import View, single_view
from dsm_ros.scene_map.scene_map import SceneMap

from .localizers import ALWAYS_GUIDED, Recorder, needs_poselib
from .rig_views import covered, rig_pose, views_of

PERIOD_NS = 33_000_000


@pytest.fixture(scope="module")
def room():
    return open_rooms("rooms:7/walk=1")


@pytest.fixture
def rig(room_map, network):
    return Localizer(SceneMap.open(room_map, network.model_hash), network, LocalizerConfig())


@needs_poselib
def test_two_cameras_find_the_rig_more_precisely_than_one(rig, room):
    errors = {"front": [], "right": [], "both": []}
    for index in (0, 60, 120, 180, 240):
        views = views_of(room, index)
        for name, used in (("front", views[:1]), ("right", views[1:]), ("both", views)):
            rig.reset()
            result = rig.localize(used, 0)
            assert isinstance(result, Localized)
            errors[name].append(pose_error(result.map_T_camera, rig_pose(room, index)))
    mean = {name: np.mean(values, axis=0) for name, values in errors.items()}
    for alone in ("front", "right"):
        assert (mean["both"] < 0.8 * mean[alone]).all()


@needs_poselib
def test_the_cloud_is_what_the_first_camera_sees_from_the_pose_of_all(rig, room):
    first, second = views_of(room, 60)
    result = rig.localize([first, second], 0)
    coordinates = result.coordinates
    points_P3 = transform(invert(result.map_T_camera @ first.rig_T_camera), coordinates.coords_HW3.reshape(-1, 3))
    known_P = coordinates.confidence_HW.ravel() > 0
    pixels_P2 = coordinates.pixels_HW2.reshape(-1, 2)
    assert known_P.mean() > 0.99
    assert first.camera.project(points_P3[known_P]) == pytest.approx(pixels_P2[known_P], abs=0.01)


@needs_poselib
def test_a_covered_camera_does_not_spoil_the_pose(rig, room):
    front, right = views_of(room, 40)
    for used in ([front, covered(right)], [covered(front), right]):
        result = rig.localize(used, 0)
        assert isinstance(result, Localized)
        assert pose_error(result.map_T_camera, rig_pose(room, 40))[0] < 0.05


@needs_poselib
def test_beside_a_covered_camera_the_other_is_as_precise_as_alone(rig, room):
    errors = []
    for index in (20, 40, 80, 120):
        front, right = views_of(room, index)
        for used in ([front], [front, covered(right)]):
            rig.reset()
            errors.append(pose_error(rig.localize(used, 0).map_T_camera, rig_pose(room, index)))
    alone, beside = np.mean(errors[::2], axis=0), np.mean(errors[1::2], axis=0)
    assert (beside < 1.2 * alone).all(), (alone, beside)


@needs_poselib
@pytest.mark.parametrize("count", [1, 3])
def test_the_patches_expected_in_covered_cameras_do_not_count(rig, room, count):
    frame = open_rooms("rooms:7/walk=1,exposure=1,blur=1,noise=1")[120]
    mounted = [invert(frame.map_T_camera) @ room[index].map_T_camera for index in (130, 140, 150)]
    front = View("front", frame.image_HW3, frame.camera, np.eye(4))
    others = [covered(View(f"covered {i}", frame.image_HW3, frame.camera, mount)) for i, mount in enumerate(mounted)]
    alone = rig.localize([front], 0)
    rig.reset()
    beside = rig.localize([front, *others[:count]], 0)
    assert isinstance(beside, Localized)
    assert beside.support.followed_ratio == pytest.approx(alone.support.followed_ratio, rel=0.1)
    assert beside.support.confidence > 0.8 * alone.support.confidence
    assert position_deviation_m(beside.covariance_66) < 1.5 * position_deviation_m(alone.covariance_66)


def test_one_image_gives_the_result_of_that_camera_alone(rig, room, room_map, network):
    alone = Localizer(SceneMap.open(room_map, network.model_hash), network, LocalizerConfig())
    for index, stamp_ns in ((40, 0), (41, PERIOD_NS)):  # the second is fused with the first
        view = views_of(room, index)[1]
        prior = rig_pose(room, index)
        expected = alone.localize(single_view(view.image_HW3, view.camera), stamp_ns, prior @ view.rig_T_camera)
        result = rig.localize([view], stamp_ns, prior)
        assert result.map_T_camera @ view.rig_T_camera == pytest.approx(expected.map_T_camera, abs=1e-6)
        assert result.support.inliers == expected.support.inliers
        assert result.support.followed_ratio == pytest.approx(expected.support.followed_ratio)
        # The position whose deviation enters the confidence is that of the rig's frame, or that of the camera.
        assert result.support.confidence == pytest.approx(expected.support.confidence, rel=1e-4)
        assert np.trace(result.covariance_66[3:, 3:]) == pytest.approx(
            np.trace(expected.covariance_66[3:, 3:]), rel=1e-4
        )
        assert np.trace(result.covariance_66[:3, :3]) != pytest.approx(np.trace(expected.covariance_66[:3, :3]))


@needs_poselib
def test_another_place_is_refused_with_the_number_that_failed(rig):
    for index in (0, 100, 200):
        result = rig.localize(views_of(open_rooms("rooms:8"), index), 0)
        assert isinstance(result, NotLocalized)
        assert any(character.isdigit() for character in result.detail)


@needs_poselib
def test_the_previous_frame_is_remembered_for_each_camera(room, room_map, network):
    """Where nobody says where the rig is, each camera is looked for at its own previous frame."""
    recorder = Recorder(network)
    rig = Localizer(SceneMap.open(room_map, network.model_hash), network, ALWAYS_GUIDED, recorder)
    views = views_of(room, 40)
    rig.localize(views, 0)
    assert recorder.previous == [None, None]
    rig.localize(views, PERIOD_NS)
    for view, previous in zip(views, recorder.previous[2:], strict=True):
        assert pose_error(previous.map_T_camera, rig_pose(room, 40) @ view.rig_T_camera)[0] < 0.03
    rig.reset()
    rig.localize(views, 2 * PERIOD_NS)
    assert recorder.previous[4:] == [None, None]
