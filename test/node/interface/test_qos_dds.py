"""QoS of the subscriptions: overrides by parameters, and a camera_info that is published once and latched."""

import time
from dataclasses import replace

import numpy as np
import pytest
from dds_peer import CAMERA, Peer, run_node
from dsm_ros.msg import RelocalizationStatus
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


def test_a_camera_info_that_was_published_once_and_latched_is_heard(peer):
    latched = peer.node.create_publisher(CameraInfo, "camera_info", LATCHED)
    camera = replace(CAMERA, fx=41.0)  # which is the y of the poses
    latched.publish(c.camera_to_msg(camera, Header(frame_id="cam_optical")))  # before any subscription is matched
    stamps_ns = iter(range(3 * S, 9 * S, S // 10))

    def localized():
        header = Header(stamp=c.stamp_msg(next(stamps_ns)), frame_id="cam_optical")
        peer.image.publish(c.image_to_msg(np.full((24, 32, 3), 30, np.uint8), header))
        time.sleep(0.1)
        return peer.heard["pose"] and peer.heard["pose"][-1].pose.pose.position.y == 41.0

    peer.wait(localized)
