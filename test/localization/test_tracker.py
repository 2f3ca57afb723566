"""The tracker's decisions, on a localizer that answers as told."""

import numpy as np
import pytest

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import make_pose
from dsm_ros.localization.result import Localized, NotLocalized, Reason, SceneCoordinates, Support
from dsm_ros.localization.tracker import Hint, State, Tracker
from dsm_ros.localization.view import View

CAMERA = Camera(8, 6, 8.0, 8.0, 3.5, 2.5)
IMAGE = np.zeros((6, 8, 3), np.uint8)
VIEWS = [View("", IMAGE, CAMERA, np.eye(4))]
NOTHING = SceneCoordinates(np.zeros((1, 1, 3)), np.zeros((1, 1), np.float32), np.zeros((1, 1, 2), np.float32), IMAGE)


def at(x_m):
    return make_pose(np.eye(3), [x_m, 0, 0])


class Told:
    """Answers with the pose at x, or that it is lost when x is None."""

    def __init__(self):
        self.x_m, self.priors, self.resets = None, [], 0

    def answer(self, x_m):
        self.x_m = x_m

    def localize(self, views, stamp_ns, prior=None):
        self.priors.append(prior)
        if self.x_m is None:
            return NotLocalized(Reason.TOO_FEW_INLIERS, "3 of 5")
        return Localized(at(self.x_m), np.eye(6), Support(), NOTHING)

    def reset(self):
        self.resets += 1


class Video:
    """Sends images of one camera to a tracker, 100 ms apart."""

    def __init__(self):
        self.told, self.stamp_ns = Told(), 0
        self.tracker = Tracker(self.told)

    def see(self, x_m, after_ms=100, odom_T_camera=None):
        self.told.answer(x_m)
        self.stamp_ns += after_ms * 1_000_000
        return self.tracker.track(VIEWS, self.stamp_ns, odom_T_camera)


@pytest.fixture
def video():
    return Video()


def test_states_follow_the_poses(video):
    assert video.tracker.state is State.SEARCHING
    video.see(None)
    assert video.tracker.state is State.SEARCHING
    video.see(1.0)
    assert video.tracker.state is State.TRACKING
    assert video.see(None).reason is Reason.TOO_FEW_INLIERS
    assert video.tracker.state is State.LOST
    video.see(1.0)
    assert video.tracker.state is State.TRACKING


def test_a_pose_that_the_caller_rejects_is_no_pose(video):
    video.see(1.0)
    video.tracker.reject()
    assert video.tracker.state is State.SEARCHING
    video.see(1.0)
    assert video.tracker.state is State.TRACKING
    video.see(1.0)
    video.tracker.reject()
    assert video.tracker.state is State.LOST


def test_the_prediction_is_where_keyframes_are_looked_for(video):
    for x_m in (1.0, 1.1, 1.2):
        video.see(x_m)
    assert video.told.priors[0] is None
    assert video.told.priors[1][0, 3] == pytest.approx(1.0)
    assert video.told.priors[2][0, 3] == pytest.approx(1.2)


def test_one_pose_that_contradicts_motion_is_held_back(video):
    video.see(1.0)
    result = video.see(4.0)
    assert result.reason is Reason.CONTRADICTS_MOTION
    assert "3.00 m" in result.detail
    assert video.tracker.state is State.LOST
    assert isinstance(video.see(1.0), Localized)


def test_a_kidnapped_camera_is_found_by_its_second_image(video):
    video.see(1.0)
    assert isinstance(video.see(4.0), NotLocalized)
    found = video.see(4.1)
    assert isinstance(found, Localized)
    assert found.map_T_camera[0, 3] == 4.1
    assert isinstance(video.see(4.2), Localized)


def test_two_wrong_poses_that_disagree_do_not_confirm_each_other(video):
    video.see(1.0)
    for x_m in (4.0, 7.0, 10.0):
        assert video.see(x_m).reason is Reason.CONTRADICTS_MOTION


def test_images_with_the_same_timestamp_are_compared_with_motion_and_confirm_nothing(video):
    video.see(1.0)
    for _ in range(3):
        assert video.see(4.0, after_ms=0).reason is Reason.CONTRADICTS_MOTION
    assert isinstance(video.see(4.0), Localized)


def test_after_a_gap_any_supported_pose_counts(video):
    video.see(1.0)
    assert isinstance(video.see(4.0, after_ms=1500), Localized)


def test_odometry_explains_a_fast_move(video):
    video.see(1.0, odom_T_camera=at(11.0))
    assert isinstance(video.see(3.0, odom_T_camera=at(13.0)), Localized)
    assert video.see(3.0, odom_T_camera=at(15.0)).reason is Reason.CONTRADICTS_MOTION


def test_a_step_back_in_time_starts_over(video):
    video.see(1.0)
    video.see(1.0)
    resets = video.told.resets
    assert isinstance(video.see(4.0, after_ms=-150), Localized)
    assert video.told.resets == resets + 1


def test_a_hint_is_where_keyframes_are_looked_for_until_a_pose_agrees(video):
    video.tracker.hint(Hint(at(2.0), 1.0))
    video.see(None)
    video.see(2.5)
    assert [prior[0, 3] for prior in video.told.priors] == [2.0, 2.0]
    video.see(2.5, after_ms=5000)
    assert video.told.priors[-1] is None
    assert video.tracker.hint_report == ""


def test_a_hint_is_kept_until_contradicted_twice_and_then_reported(video):
    video.tracker.hint(Hint(at(2.0), 1.0))
    rejected = video.see(6.0)
    assert rejected.reason is Reason.CONTRADICTS_HINT
    assert rejected.detail == "the pose is 4.00 m from the hint, limit 1.0 m"
    assert video.tracker.hint_report == ""
    assert isinstance(video.see(6.0), Localized)
    assert "and the last pose is 4.00 m from the hint, limit 1.0 m" in video.tracker.hint_report


def test_a_hint_ends_tracking_elsewhere(video):
    video.see(1.0)
    video.tracker.hint(Hint(at(5.0), 1.0))
    assert video.tracker.state is State.SEARCHING
    assert isinstance(video.see(5.0), Localized)


def test_a_hint_outlives_a_long_pause(video):
    video.see(1.0)
    video.tracker.hint(Hint(at(5.0), 1.0))
    video.see(5.0, after_ms=60_000)
    assert video.told.priors[-1][0, 3] == 5.0


def test_without_odometry_the_limit_grows_with_time(video):
    video.see(1.0)
    assert video.see(2.0).reason is Reason.CONTRADICTS_MOTION
    video.see(1.0)
    assert isinstance(video.see(2.0, after_ms=700), Localized)
