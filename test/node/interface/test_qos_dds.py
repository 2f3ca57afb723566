"""QoS of the subscriptions: overrides by parameters, and a camera_info that is published once and latched."""

import numpy as np
import pytest
from dds_peer import CAMERA, Peer, run_node
from dsm_ros.action import Relocalize
from dsm_ros.msg import RelocalizationStatus
from rclpy.action import ActionClient
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from dsm_ros.node.interface import conversions as c
from dsm_ros.node.interface.topics import LATCHED

S = 1_000_000_000


@pytest.fixture(scope="module")
def peer(ros):
    override = "qos_overrides./latched/image.subscription"
    process = run_node(f"{override}.reliability:=reliable", f"{override}.depth:=7", namespace="/latched")
    peer = Peer(namespace="/latched", image_qos=QoSProfile(depth=7))
    yield peer
    peer.node.destroy_node()
    process.terminate()
    assert process.wait(20) == 0


def test_parameters_override_the_qos(peer):
    peer.wait(lambda: peer.node.get_subscriptions_info_by_topic("/latched/image"))
    (info,) = peer.node.get_subscriptions_info_by_topic("/latched/image")
    assert info.qos_profile.reliability == ReliabilityPolicy.RELIABLE


def test_drivers_without_a_latched_camera_info_meet_no_latched_subscription(peer):
    peer.connect()
    stamps_ns = iter(range(S, 2 * S, S // 100))
    peer.wait(lambda: peer.ask(30, next(stamps_ns)).state == RelocalizationStatus.TRACKING)
    (info,) = peer.node.get_subscriptions_info_by_topic("/latched/camera_info")
    assert info.qos_profile.durability == DurabilityPolicy.VOLATILE


@pytest.mark.parametrize("continuous", ["true", "false"])
def test_a_camera_info_that_was_published_once_before_the_node_exists_is_heard(ros, continuous):
    peer = Peer(namespace="/once")
    peer.node.destroy_publisher(peer.info)
    latched = peer.node.create_publisher(CameraInfo, "camera_info", LATCHED)
    latched.publish(c.camera_to_msg(CAMERA, Header(frame_id="cam_optical")))
    process = run_node(f"continuous:={continuous}", namespace="/once")
    client = ActionClient(peer.node, Relocalize, "relocalizer/relocalize")
    stamps_ns = iter(range(S, 100 * S, S // 10))
    try:
        peer.wait(client.server_is_ready)
        handle = peer.answer_to(lambda: client.send_goal_async(Relocalize.Goal(timeout_s=20.0)))
        result = handle.get_result_async()

        def ended():
            header = Header(stamp=c.stamp_msg(next(stamps_ns)), frame_id="cam_optical")
            peer.image.publish(c.image_to_msg(np.full((24, 32, 3), 30, np.uint8), header))
            return result.done()

        peer.wait(ended)
        assert result.result().result.success, result.result().result.detail
    finally:
        peer.node.destroy_node()
        process.terminate()
        assert process.wait(20) == 0
