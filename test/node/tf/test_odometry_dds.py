"""The node with odometry on /tf; in a file of its own, for no other relocalizer may speak on /tf meanwhile."""

import time

import numpy as np
import pytest
from dds_peer import Peer, run_node
from geometry_msgs.msg import PoseWithCovarianceStamped
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage

from dsm_ros.messages.pose import stamp_ns_of
from dsm_ros.node.interface import conversions as c


class MovingPeer(Peer):
    """A camera on a robot with odometry."""

    def __init__(self):
        super().__init__()
        self.start_ns = time.time_ns()
        self.tf = self.node.create_publisher(TFMessage, "/tf", 100)


def odometry(odom_T_camera, stamp_ns, parent="odom", child="cam_optical"):
    header = Header(stamp=c.stamp_msg(stamp_ns), frame_id=parent)
    return TFMessage(transforms=[c.transform_to_msg(odom_T_camera, header, child)])


@pytest.fixture(scope="module")
def peer(ros):
    process = run_node("odom_frame:=odom", "transform_tolerance_s:=5.0")  # ahead of the present on a busy computer too
    peer = MovingPeer()
    peer.connect()
    peer.wait(lambda: peer.tf.get_subscription_count() >= 2)
    yield peer
    peer.node.destroy_node()
    process.terminate()
    assert process.wait(20) == 0


def set_parameter(peer, name, value):
    """What `ros2 param set` does."""
    request = SetParameters.Request(parameters=[Parameter(name, value=value).to_parameter_msg()])
    assert peer.call(SetParameters, "relocalizer/set_parameters", request).results[0].successful


def corrections(peer):
    """What was said of map -> odom, in order."""
    return [t for m in peer.heard["tf"] for t in m.transforms if t.child_frame_id == "odom"]


def shown_m(peer):
    """The x of each."""
    return [t.transform.translation.x for t in corrections(peer)]


def test_without_camera_info_an_image_is_answered_with_the_reason(peer):
    header = Header(stamp=c.stamp_msg(peer.start_ns), frame_id="cam_optical")
    image = c.image_to_msg(np.zeros((24, 32, 3), np.uint8), header)

    def answered():
        peer.image.publish(image)
        return any(status.reason == "no_camera_info" for status in peer.heard["status"])

    peer.wait(answered)


def test_with_odometry_the_transform_is_map_to_odom_at_the_images_stamp(peer):
    for i in range(100):  # odometry moves 1 cm in each 10 ms along x, seen from (2, 0, 0) on
        odom_T_camera = np.eye(4)
        odom_T_camera[0, 3] = 2.0 + 0.01 * i
        peer.tf.publish(odometry(odom_T_camera, peer.start_ns + i * 10_000_000))
    time.sleep(0.3)
    assert not corrections(peer)
    stamp_ns = peer.start_ns + 505_000_000

    def corrected():  # odometry or images may be late on a busy computer
        peer.send(30, stamp_ns)
        time.sleep(0.1)
        return corrections(peer)

    peer.wait(corrected)
    transform = corrections(peer)[-1]
    assert transform.header.frame_id == "map"
    assert transform.transform.translation.x == pytest.approx(0.3 - 2.505)
    assert stamp_ns_of(transform.header.stamp) > time.time_ns()


def test_a_jump_is_reported_and_map_to_odom_goes_on_between_images(peer):
    status = peer.ask(31, peer.start_ns + 605_000_000)  # odometry went 10 cm, the camera 1 cm
    assert status.jump_m == pytest.approx(0.09, abs=1e-6)
    peer.wait(lambda: corrections(peer)[-1].transform.translation.x == pytest.approx(0.31 - 2.605))
    heard = len(corrections(peer))
    peer.wait(lambda: len(corrections(peer)) > heard + 2)
    newest = [stamp_ns_of(t.header.stamp) for t in corrections(peer)[heard:]]
    assert newest == sorted(set(newest))


def test_a_hint_in_the_odometrys_frame_is_carried_into_the_map(peer):
    hints = peer.node.create_publisher(PoseWithCovarianceStamped, "initialpose", 1)
    peer.wait(hints.get_subscription_count)
    hint = np.eye(4)
    hint[0, 3] = 12.605 - 0.31  # x = 10 in the map; the camera is at 0.3
    hints.publish(c.pose_to_msg(hint, np.zeros((6, 6)), Header(frame_id="odom")))
    time.sleep(0.3)
    status = peer.ask(31, peer.start_ns + 705_000_000)
    assert status.reason == "contradicts_hint"
    peer.ask(31, peer.start_ns + 805_000_000)


def test_the_filter_counts_once_its_noise_is_set(peer):
    peer.wait(lambda: shown_m(peer)[-1] == pytest.approx(0.31 - 2.805))
    set_parameter(peer, "odom_noise", 0.02)
    status = peer.ask(66, peer.start_ns + 905_000_000)  # odometry went 10 cm, the camera 35 cm
    assert 0.05 < status.jump_m < 0.2
    peer.wait(lambda: shown_m(peer)[-1] == pytest.approx(0.31 - 2.805 + status.jump_m, abs=1e-3))
    set_parameter(peer, "odom_noise", 0.0)


def test_another_parent_of_odom_is_named_and_not_fought(peer):
    def named():
        peer.tf.publish(odometry(np.eye(4), time.time_ns(), "world", "odom"))
        status = peer.ask(31, next(stamps_ns))
        return status.reason == "no_tf" and "odom already has the parent world" in status.detail

    stamps_ns = iter(range(peer.start_ns + 915_000_000, peer.start_ns + 985_000_000, 1_000_000))
    peer.wait(named)
