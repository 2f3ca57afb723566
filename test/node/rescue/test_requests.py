import threading
import time

import numpy as np
from std_msgs.msg import Header

from dsm_ros.localization.result import Localized, NotLocalized, Reason, SceneCoordinates, Support
from dsm_ros.localization.tracker import State
from dsm_ros.node.images.frame_report import FrameReport
from dsm_ros.node.rescue.requests import RescueRequest, RescueRequests

NOTHING = SceneCoordinates(
    np.zeros((1, 1, 3)),
    np.zeros((1, 1), np.float32),
    np.zeros((1, 1, 2), np.float32),
    np.zeros((1, 1, 3), np.uint8),
)
FOUND = FrameReport(Header(), Localized(np.eye(4), np.eye(6), Support(), NOTHING), State.TRACKING, 0.0)
FAILED = FrameReport(Header(), NotLocalized(Reason.TOO_FEW_INLIERS, "7 of 9"), State.LOST, 0.0)


def test_a_request_ends_with_the_first_pose():
    successes = []
    requests = RescueRequests(successes.append)
    first, second = requests.open(10.0), requests.open(10.0)
    requests.deliver(FAILED)
    assert not first.done
    requests.deliver(FOUND)
    assert first.done
    assert second.found is FOUND
    assert (first.frames, successes) == (2, [FOUND])
    assert not requests.any_open
    requests.deliver(FOUND)
    assert successes == [FOUND]


def test_a_request_without_images_says_so():
    request = RescueRequest(0.01)
    request.wait(0, 1.0)
    time.sleep(0.02)
    assert request.done
    reason, detail = request.failure()
    assert reason == "timeout"
    assert "no image" in detail


def test_a_request_in_vain_tells_the_last_reason():
    request = RescueRequest(0.05)
    request.add(FAILED)
    time.sleep(0.06)
    reason, detail = request.failure()
    assert reason == "too_few_inliers"
    assert "none of 1 images" in detail
    assert "7 of 9" in detail


def test_waiting_ends_with_the_next_image():
    request = RescueRequest(20.0)
    threading.Timer(0.05, request.add, [FAILED]).start()
    start_s = time.monotonic()
    request.wait(0, 10.0)
    assert time.monotonic() - start_s < 5
    assert request.frames == 1


def test_a_closed_request_keeps_nothing_open():
    requests = RescueRequests(None)
    request = requests.open(10.0)
    requests.close(request)
    assert not requests.any_open
