"""Requests and the watch, without ROS between."""

import threading
import time

import numpy as np
import pytest
from std_msgs.msg import Header

from dsm_ros.localization.result import Localized, NotLocalized, Reason, SceneCoordinates, Support
from dsm_ros.localization.tracker import State
from dsm_ros.node.images.frame_report import Answer
from dsm_ros.node.rescue.pose_watch import Health
from dsm_ros.node.rescue.requests import Rescue, RescueDesk

NOTHING = SceneCoordinates(
    np.zeros((1, 1, 3)),
    np.zeros((1, 1), np.float32),
    np.zeros((1, 1, 2), np.float32),
    np.zeros((1, 1, 3), np.uint8),
)
FOUND = Answer(Header(), Localized(np.eye(4), np.eye(6), Support(), NOTHING), State.TRACKING, 0.0)
FAILED = Answer(Header(), NotLocalized(Reason.TOO_FEW_INLIERS, "7 of 9"), State.LOST, 0.0)


def test_a_request_ends_with_the_first_pose():
    successes = []
    desk = RescueDesk(successes.append)
    first, second = desk.begin(10.0), desk.begin(10.0)
    desk.see(FAILED)
    assert not first.done
    desk.see(FOUND)
    assert first.done
    assert second.found is FOUND
    assert (first.frames, successes) == (2, [FOUND])
    assert not desk.is_open
    desk.see(FOUND)
    assert successes == [FOUND]


def test_a_request_without_images_says_so():
    rescue = Rescue(0.01)
    rescue.wait(0, 1.0)
    time.sleep(0.02)
    assert rescue.done
    reason, detail = rescue.failure()
    assert reason == "timeout"
    assert "no image" in detail


def test_a_request_in_vain_tells_the_last_reason():
    rescue = Rescue(0.05)
    rescue.see(FAILED)
    time.sleep(0.06)
    reason, detail = rescue.failure()
    assert reason == "too_few_inliers"
    assert "none of 1 images" in detail
    assert "7 of 9" in detail


def test_waiting_ends_with_the_next_image():
    rescue = Rescue(20.0)
    threading.Timer(0.05, rescue.see, [FAILED]).start()
    start_s = time.monotonic()
    rescue.wait(0, 10.0)
    assert time.monotonic() - start_s < 5
    assert rescue.frames == 1


def test_a_closed_request_keeps_nothing_open():
    desk = RescueDesk(lambda answer: None)
    rescue = desk.begin(10.0)
    desk.close(rescue)
    assert not desk.is_open


def test_silence_counts_after_the_first_message_and_once():
    health = Health(timeout_s=1.0, max_sigma_m=0.5)
    assert health.complaint(100.0) is None
    health.hear((0.01, 0.01, 0.01), 100.0)
    assert health.complaint(100.9) is None
    assert "no message for 1.1 s" in health.complaint(101.1)
    assert health.complaint(105.0) is None
    health.hear((0.01, 0.01, 0.01), 106.0)
    assert "no message" in health.complaint(108.0)


@pytest.mark.parametrize("variance", [1.0, float("inf"), float("nan")])
def test_a_covariance_that_explodes_counts_once(variance):
    health = Health(timeout_s=1.0, max_sigma_m=0.5)
    health.hear((0.01, variance, 0.01), 100.0)
    assert "deviation" in health.complaint(100.1)
    health.hear((0.01, variance, 0.01), 100.2)
    assert health.complaint(100.3) is None
    health.hear((0.01, 0.01, 0.01), 100.4)
    health.hear((0.01, variance, 0.01), 100.5)
    assert "deviation" in health.complaint(100.6)
