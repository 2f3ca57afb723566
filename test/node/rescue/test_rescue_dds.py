"""Action, trigger, hint, watch and bad input, over real DDS with the node in another process."""

import itertools
import threading
import time
from collections import defaultdict

import numpy as np
import pytest
from dds_peer import LOST, Peer, run_node
from dsm_ros.action import Relocalize
from geometry_msgs.msg import PoseWithCovarianceStamped
from rcl_interfaces.srv import GetParameters, SetParameters
from rclpy.action import ActionClient
from rclpy.parameter import Parameter
from std_msgs.msg import Empty, Header
from std_srvs.srv import Empty as EmptyService
from std_srvs.srv import Trigger

from dsm_ros.messages.pose import pose_from_msg, stamp_ns_of
from dsm_ros.node.interface import conversions as c

SECOND = 1_000_000_000
STARTS_NS = itertools.count(1000 * SECOND, 1000 * SECOND)


@pytest.fixture(scope="module")
def process(ros):
    running = run_node("publish_initialpose:=true", "watch_topic:=slam_pose", "watch_timeout_s:=0.5")
    yield running
    running.terminate()
    assert running.wait(20) == 0


@pytest.fixture
def peer(process):
    peer = Peer()
    peer.heard["initialpose"] = []
    peer.listen(PoseWithCovarianceStamped, "initialpose", "initialpose")
    peer.connect()
    yield peer
    peer.node.destroy_node()


@pytest.fixture
def stamps():
    """Stamps 100 ms apart; each test starts 1000 s after the last one, so that the tracker starts over."""
    return itertools.count(next(STARTS_NS), SECOND // 10)


def relocalize(peer, **goal):
    client = ActionClient(peer.node, Relocalize, "relocalizer/relocalize")
    peer.wait(client.server_is_ready)
    feedback = defaultdict(list)  # of each goal, because a goal without an answer is sent again

    def hear(message):
        feedback[bytes(message.goal_id.uuid)].append(message.feedback)

    handle = peer.answer_to(lambda: client.send_goal_async(Relocalize.Goal(**goal), hear))
    assert handle.accepted
    return handle, feedback[bytes(handle.goal_id.uuid)]


class Camera:
    """Sends images in the background of a test."""

    def __init__(self, peer, stamps, reds):
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(peer, stamps, reds))

    def _run(self, peer, stamps, reds):
        for red, stamp_ns in zip(reds, stamps, strict=False):
            if self._stop.wait(0.1):
                return
            peer.send(red, stamp_ns)

    def __enter__(self):
        self._thread.start()

    def __exit__(self, *error):
        self._stop.set()
        self._thread.join()


def test_the_action_succeeds_with_a_pose_and_feedback_for_each_image(peer, stamps):
    with Camera(peer, stamps, [LOST] * 15 + [40] * 100):
        handle, feedback = relocalize(peer, timeout_s=20.0)
        answer = peer.result_of(handle.get_result_async())
    result = answer.result
    assert answer.status == 4  # SUCCEEDED
    assert result.success
    assert result.reason == ""
    assert result.pose.header.frame_id == "map"
    assert pose_from_msg(result.pose)[0, 3] == pytest.approx(0.4)
    assert result.pose.pose.covariance[0] == pytest.approx(0.0104)
    peer.wait(lambda: len(feedback) >= 1)
    assert feedback[0].status.reason in ("too_few_inliers", "")
    assert [f.frames for f in feedback] == sorted({f.frames for f in feedback})


def test_the_action_in_vain_aborts_with_the_reason(peer, stamps):
    with Camera(peer, stamps, [LOST] * 100):
        handle, _ = relocalize(peer, timeout_s=1.0)
        answer = peer.result_of(handle.get_result_async())
    assert answer.status == 6  # ABORTED
    assert not answer.result.success
    assert answer.result.reason == "too_few_inliers"
    assert "within 1.0 s" in answer.result.detail


def test_the_action_can_be_canceled(peer, stamps):
    handle, _ = relocalize(peer, timeout_s=60.0)
    peer.result_of(handle.cancel_goal_async())
    answer = peer.result_of(handle.get_result_async())
    assert answer.status == 5  # CANCELED
    assert answer.result.reason == "canceled"


def test_the_trigger_searches_anew_and_tells_initialpose_once(peer, stamps):
    trigger = peer.node.create_publisher(Empty, "relocalizer/trigger", 1)
    peer.wait(trigger.get_subscription_count)
    peer.ask(50, next(stamps))
    trigger.publish(Empty())
    time.sleep(0.3)
    peer.ask(150, next(stamps))  # one metre away: contradicts motion, if the trigger was not heard
    peer.wait(lambda: peer.heard["initialpose"])
    assert stamp_ns_of(peer.heard["initialpose"][0].header.stamp) > 0
    status = peer.ask(150, next(stamps))
    assert status.state == status.TRACKING
    assert status.hint_report == ""  # the node's own initialpose is no hint
    assert len(peer.heard["initialpose"]) == 1


def test_a_hint_is_contradicted_twice_and_then_reported(peer, stamps):
    hints = peer.node.create_publisher(PoseWithCovarianceStamped, "initialpose", 1)
    peer.wait(lambda: hints.get_subscription_count() >= 2)
    hint = c.pose_to_msg(np.eye(4), np.zeros((6, 6)), Header(frame_id="map"))  # the camera says y = 40
    hints.publish(hint)
    time.sleep(0.3)
    first = peer.ask(60, next(stamps))
    assert first.reason == "contradicts_hint"
    assert "limit 2.0 m" in first.detail
    second = peer.ask(60, next(stamps))
    assert second.state == second.TRACKING
    assert "hint ignored: two poses contradict the hint" in second.hint_report


def test_a_hint_in_an_unknown_frame_is_reported(peer, stamps):
    hints = peer.node.create_publisher(PoseWithCovarianceStamped, "initialpose", 1)
    peer.wait(lambda: hints.get_subscription_count() >= 2)
    hints.publish(c.pose_to_msg(np.eye(4), np.eye(6), Header(frame_id="nowhere")))
    time.sleep(0.3)
    assert "nowhere" in peer.ask(60, next(stamps)).hint_report


def test_a_reset_forgets_a_hint_that_waits_for_an_image(peer, stamps):
    hints = peer.node.create_publisher(PoseWithCovarianceStamped, "initialpose", 1)
    peer.wait(lambda: hints.get_subscription_count() >= 2)
    hints.publish(c.pose_to_msg(np.eye(4), np.zeros((6, 6)), Header(frame_id="map")))
    time.sleep(0.3)
    peer.call(Trigger, "relocalizer/reset", Trigger.Request())
    assert peer.ask(60, next(stamps)).reason == ""


def test_a_watched_pose_that_falls_silent_starts_a_rescue(peer, stamps):
    slam = peer.node.create_publisher(PoseWithCovarianceStamped, "slam_pose", 1)
    peer.wait(slam.get_subscription_count)
    before = len(peer.heard["initialpose"])
    for _ in range(5):  # best effort may lose one
        slam.publish(c.pose_to_msg(np.eye(4), np.eye(6) * 0.01, Header(frame_id="map")))
        time.sleep(0.1)
    with Camera(peer, stamps, [70] * 100):
        peer.wait(lambda: len(peer.heard["initialpose"]) > before)


def test_one_contradiction_of_motion_is_held_back_over_dds(peer, stamps):
    peer.ask(10, next(stamps))
    assert peer.ask(160, next(stamps)).reason == "contradicts_motion"
    assert peer.ask(160, next(stamps)).state == 2


def test_late_images_are_left_out_and_counted_and_a_loop_starts_over(peer, stamps):
    now_ns = next(stamps)
    peer.ask(10, now_ns)
    peer.send(10, now_ns - SECOND // 2)
    peer.wait(  # or the next image replaces it before it is looked at
        lambda: peer.heard["diagnostics"] and peer.diagnostics()["images out of order"] != "0"
    )
    peer.ask(10, now_ns + SECOND // 10)
    assert now_ns - SECOND // 2 not in {stamp_ns_of(s.header.stamp) for s in peer.heard["status"]}
    assert peer.ask(10, now_ns - 30 * SECOND).state == 2


def test_silence_is_reported_as_stale_images(peer, stamps):
    peer.ask(10, next(stamps))
    peer.wait(lambda: peer.heard["status"][-1].reason == "stale_images")
    assert peer.heard["status"][-1].state == 3
    assert "limit 1.0 s" in peer.heard["status"][-1].detail


def test_truncated_images_and_wrong_encodings_are_answered_with_the_reason(peer, stamps):
    header = Header(stamp=c.stamp_msg(next(stamps)), frame_id="cam_optical")
    image = c.image_to_msg(np.zeros((24, 32, 3), np.uint8), header)
    image.data = image.data[:100]
    peer.image.publish(image)
    peer.wait(lambda: peer.heard["status"] and peer.heard["status"][-1].reason == "unreadable_image")
    header = Header(stamp=c.stamp_msg(next(stamps)), frame_id="cam_optical")
    image = c.image_to_msg(np.zeros((24, 32, 3), np.uint8), header)
    image.encoding = "crystals"
    peer.image.publish(image)
    peer.wait(lambda: "crystals" in peer.heard["status"][-1].detail)
    assert peer.ask(10, next(stamps)).state == 2


def test_images_without_a_stamp_are_stamped_on_arrival(peer):
    peer.send(10, 0)
    peer.wait(lambda: peer.heard["pose"])
    assert abs(stamp_ns_of(peer.heard["pose"][-1].header.stamp) - time.time_ns()) < 60 * SECOND


def test_global_localization_as_amcl_offers_it_is_a_rescue(peer, stamps):
    peer.ask(10, next(stamps))
    told = len(peer.heard["initialpose"])
    peer.call(EmptyService, "relocalizer/reinitialize_global_localization", EmptyService.Request())
    assert peer.ask(160, next(stamps)).state == 2
    peer.wait(lambda: len(peer.heard["initialpose"]) > told)


def test_parameters_can_be_read_and_set_from_outside(peer):
    request = GetParameters.Request(names=["map", "max_error_px"])
    values = peer.call(GetParameters, "relocalizer/get_parameters", request).values
    assert (values[0].string_value, values[1].double_value) == ("fake", 8.0)
    asked = [
        Parameter("max_error_px", value=6.0),
        Parameter("max_error_px", value=50.0),
        Parameter("map", value="other"),
    ]
    request = SetParameters.Request(parameters=[parameter.to_parameter_msg() for parameter in asked])
    taken, out_of_range, in_use = peer.call(SetParameters, "relocalizer/set_parameters", request).results
    assert [taken.successful, out_of_range.successful, in_use.successful] == [True, False, False]
    assert "call ~/load_map" in in_use.reason
