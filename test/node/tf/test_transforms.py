"""The listener of /tf over real DDS: what reaches the buffer, and that it lets go of everything."""

import importlib.util
import threading
import time

import numpy as np
import pytest
import rclpy
from geometry_msgs.msg import TransformStamped
from rclpy.lifecycle import LifecycleNode
from rclpy.node import Node
from rclpy.parameter import Parameter
from rosgraph_msgs.msg import Clock
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage

from dsm_ros.geometry.pose import make_pose
from dsm_ros.geometry.pose_covariance import UncertainPose
from dsm_ros.geometry.trajectory import Missing
from dsm_ros.messages.pose import stamp_ns_of
from dsm_ros.node.interface.conversions import stamp_msg, transform_to_msg
from dsm_ros.node.interface.node_scope import NodeScope
from dsm_ros.node.interface.topics import TF_QOS, TF_STATIC_QOS
from dsm_ros.node.parameters.node_parameters import NodeParameters
from dsm_ros.node.tf.map_broadcaster import MapBroadcaster
from dsm_ros.node.tf.transform_buffer import TransformBuffer
from dsm_ros.node.tf.transforms import Transforms, make_store

S = 1_000_000_000
TIMEOUT_S = 20.0
SIM_TIME = Parameter("use_sim_time", value=True)


class Pair:
    """A node that speaks on /tf and one that listens, each spun in turn."""

    def __init__(self):
        self.peer, self.node = Node("peer"), LifecycleNode("listener", parameter_overrides=[SIM_TIME])
        self.scope = NodeScope(self.node)
        self.clock = self.peer.create_publisher(Clock, "/clock", 1)
        self.tf = self.peer.create_publisher(TFMessage, "/tf", TF_QOS)
        self.tf_static = self.peer.create_publisher(TFMessage, "/tf_static", TF_STATIC_QOS)

    def listen(self):
        transforms = Transforms(self.scope)
        transforms.listen(True)
        self.spin_until(lambda: self.tf.get_subscription_count() and self.tf_static.get_subscription_count())
        return transforms

    def spin_until(self, condition):
        deadline_s = time.monotonic() + TIMEOUT_S
        while not condition():
            assert time.monotonic() < deadline_s
            rclpy.spin_once(self.node, timeout_sec=0.02)

    def tick(self, second):
        self.clock.publish(Clock(clock=stamp_msg(second * S)))
        self.spin_until(lambda: self.node.get_clock().now().nanoseconds == second * S)

    def say(self, publisher, parent, child, stamp_ns, x):
        header = Header(stamp=stamp_msg(stamp_ns), frame_id=parent)
        publisher.publish(TFMessage(transforms=[transform_to_msg(make_pose(np.eye(3), [x, 0, 0]), header, child)]))


@pytest.fixture
def pair(ros):
    pair = Pair()
    yield pair
    pair.scope.close()
    pair.node.destroy_node()
    pair.peer.destroy_node()


def found(transforms, target, source, stamp_ns):
    return lambda: not isinstance(transforms.lookup(target, source, stamp_ns), Missing)


def test_static_transforms_sent_before_listening_hold_at_all_times(pair):
    pair.say(pair.tf_static, "base", "camera", 5 * S, 0.5)
    transforms = pair.listen()
    pair.spin_until(found(transforms, "base", "camera", 77 * S))
    assert transforms.lookup("base", "camera", 0)[0, 3] == 0.5


def test_broken_transforms_are_left_out_and_listening_goes_on(pair):
    transforms = pair.listen()
    broken = TransformStamped(child_frame_id="base")
    broken.header.frame_id, broken.transform.rotation.w = "odom", float("nan")
    pair.tf.publish(TFMessage(transforms=[broken]))
    pair.say(pair.tf, "odom", "odom", S, 1.0)
    pair.say(pair.tf, "odom", "base", S, float("inf"))
    pair.say(pair.tf, "odom", "base", 2 * S, 2.0)
    pair.spin_until(found(transforms, "odom", "base", 2 * S))
    assert isinstance(transforms.lookup("odom", "base", S), Missing)


def test_a_thread_that_waits_is_woken_by_what_the_executor_hears(pair):
    transforms, answers = pair.listen(), []
    waiting = threading.Thread(target=lambda: answers.append(transforms.wait("odom", "base", 3 * S, TIMEOUT_S)))
    waiting.start()
    pair.say(pair.tf, "odom", "base", 2 * S, 2.0)
    pair.say(pair.tf, "odom", "base", 4 * S, 4.0)
    pair.spin_until(lambda: answers)
    waiting.join()
    assert answers[0][0, 3] == pytest.approx(3.0)


def test_a_clock_that_jumps_back_clears_what_is_not_static_and_silences_the_broadcaster(pair):
    transforms, heard = pair.listen(), []
    broadcaster = MapBroadcaster(
        pair.scope, transforms, NodeParameters(odom_frame="odom", transform_tolerance_s=0.25).broadcast_settings()
    )
    pair.node.create_subscription(TFMessage, "/tf", lambda m: heard.extend(t.header for t in m.transforms), TF_QOS)
    pair.spin_until(lambda: pair.clock.get_subscription_count() and pair.tf.get_subscription_count() >= 2)
    pair.tick(100)
    pair.say(pair.tf_static, "base", "camera", 0, 0.5)
    pair.say(pair.tf, "odom", "base", 100 * S, 1.0)
    pair.spin_until(found(transforms, "odom", "camera", 100 * S))
    assert (
        broadcaster.send(
            UncertainPose(np.eye(4), np.eye(6)), Header(stamp=stamp_msg(100 * S), frame_id="map"), "camera"
        )
        is None
    )
    pair.tick(101)
    pair.spin_until(lambda: heard and heard[-1].frame_id == "map")
    assert stamp_ns_of(heard[-1].stamp) == 101 * S + S // 4
    pair.tick(50)
    pair.spin_until(lambda: not found(transforms, "odom", "base", 100 * S)())
    assert found(transforms, "base", "camera", 0)()
    heard.clear()
    pair.tick(51)
    pair.say(pair.tf, "odom", "base", 51 * S, 1.0)
    pair.spin_until(lambda: heard)
    for _ in range(10):  # the timer has its turns too
        rclpy.spin_once(pair.node, timeout_sec=0.02)
    assert [header.frame_id for header in heard] == ["odom"]


def test_odometry_that_is_slower_than_the_camera_is_extrapolated(pair):
    transforms = pair.listen()
    for tenth in range(11):
        pair.say(pair.tf, "odom", "camera", S + tenth * S // 10, 0.1 * tenth)
    pair.spin_until(found(transforms, "odom", "camera", 2 * S))
    assert transforms.extrapolated("odom", "camera", 2 * S - S // 20)[0, 3] == pytest.approx(0.95)
    assert transforms.extrapolated("odom", "camera", 2 * S + S // 4)[0, 3] == pytest.approx(1.25)
    assert transforms.extrapolated("odom", "camera", 2 * S + S // 2) is None
    assert transforms.extrapolated("odom", "camera", S + S // 100)[0, 3] == pytest.approx(0.01)
    assert transforms.extrapolated("odom", "lidar", 2 * S) is None


def test_closing_the_scope_undoes_everything(pair):
    before = len(list(pair.node.subscriptions))
    pair.listen()
    assert len(list(pair.node.subscriptions)) == before + 2
    pair.scope.close()
    assert len(list(pair.node.subscriptions)) == before


@pytest.mark.skipif(importlib.util.find_spec("tf2_ros") is not None, reason="tf2_ros is installed")
def test_without_tf2_ros_the_buffer_is_ours():
    assert isinstance(make_store(), TransformBuffer)


@pytest.mark.full_ros
def test_with_tf2_ros_the_buffer_is_its():
    pytest.importorskip("tf2_ros")
    assert type(make_store()).__name__ == "Tf2Buffer"
