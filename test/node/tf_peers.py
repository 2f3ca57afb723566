"""A robot and a map broadcaster, each a node in a context of its own, that meet over real DDS."""

import threading
import time
from dataclasses import replace

import numpy as np
import rclpy
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.lifecycle import LifecycleNode
from rclpy.node import Node
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage

from dsm_ros.geometry.pose_covariance import UncertainPose
from dsm_ros.geometry.trajectory import Missing
from dsm_ros.messages.pose import transform_from_msg
from dsm_ros.node.interface.conversions import stamp_msg, transform_to_msg
from dsm_ros.node.interface.node_scope import NodeScope
from dsm_ros.node.interface.topics import TF_QOS, TF_STATIC_QOS
from dsm_ros.node.parameters.node_parameters import NodeParameters
from dsm_ros.node.tf.map_broadcaster import MapBroadcaster
from dsm_ros.node.tf.transforms import Transforms

TIMEOUT_S = 20.0


def eventually(condition):
    deadline_s = time.monotonic() + TIMEOUT_S
    while not condition():
        assert time.monotonic() < deadline_s
        time.sleep(0.005)


class Spun:
    """A node in a context of its own, spun by a thread as a process would."""

    def __init__(self, kind, name):
        self.context = Context()
        rclpy.init(context=self.context)
        self.node = kind(name, context=self.context)
        self.executor = SingleThreadedExecutor(context=self.context)
        self.executor.add_node(self.node)
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.spin, daemon=True)
        self.thread.start()

    def spin(self):
        while not self.stopping.is_set():
            self.executor.spin_once(timeout_sec=0.05)

    def rest(self):
        self.stopping.set()
        self.thread.join()

    def stop(self):
        self.rest()
        self.executor.shutdown()
        self.node.destroy_node()
        rclpy.try_shutdown(context=self.context)


class Robot(Spun):
    """Says where its odometry and its camera are, and keeps what it hears on /tf from others."""

    def __init__(self):
        super().__init__(Node, "robot")
        self.heard = []
        self.node.create_subscription(TFMessage, "/tf", self.listen, TF_QOS)
        self.tf = self.node.create_publisher(TFMessage, "/tf", TF_QOS)
        self.tf_static = self.node.create_publisher(TFMessage, "/tf_static", TF_STATIC_QOS)

    def listen(self, message):
        now_ns = self.node.get_clock().now().nanoseconds
        self.heard += [(t, now_ns) for t in message.transforms if t.header.frame_id == "map"]

    def say(self, parent, child, stamp_ns, pose):
        header = Header(stamp=stamp_msg(stamp_ns or 0), frame_id=parent)
        publisher = self.tf_static if stamp_ns is None else self.tf
        publisher.publish(TFMessage(transforms=[transform_to_msg(pose, header, child)]))

    def poses_of(self, child):
        return [transform_from_msg(t) for t, _ in self.heard if t.child_frame_id == child]


class Ours(Spun):
    """The side under test; sends from the test's thread, as the relocalizer does from its worker."""

    def __init__(self, settings):
        super().__init__(LifecycleNode, "ours")
        self.scope = NodeScope(self.node)
        self.transforms = Transforms(self.scope)
        self.transforms.listen(True)
        self.broadcaster = MapBroadcaster(
            self.scope, self.transforms, replace(NodeParameters().broadcast_settings(), **settings)
        )

    def meet(self, robot):
        eventually(lambda: robot.tf.get_subscription_count() >= 2 and self.node.count_publishers("/tf") >= 2)
        eventually(lambda: robot.tf_static.get_subscription_count() >= 1)
        eventually(lambda: self.node.count_subscribers("/tf") >= 2)

    def send(self, map_T_camera, stamp_ns, camera="camera"):
        header = Header(stamp=stamp_msg(stamp_ns), frame_id="map")
        return self.broadcaster.send(UncertainPose(map_T_camera, np.eye(6) * 0.01), header, camera)

    def hears(self, target, source, stamp_ns):
        eventually(lambda: not isinstance(self.transforms.lookup(target, source, stamp_ns), Missing))

    def stop(self):
        self.rest()
        self.scope.close()
        super().stop()
