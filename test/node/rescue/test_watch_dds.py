"""The watch on another localizer, whose standard deviation stays too large, over real DDS."""

import itertools

import numpy as np
import pytest
from dds_peer import LOST, Peer, run_node
from geometry_msgs.msg import PoseWithCovarianceStamped
from lifecycle_msgs.msg import Transition
from std_msgs.msg import Empty, Header

from dsm_ros.node.interface import conversions as c

GOOD, BAD = 0.01, 25.0  # variance of the position, m^2
STARTED, FAILED = "relocalizing: slam_pose: the standard deviation", "the rescue ended without a pose: none of"
PARAMETERS = (
    "autostart:=false",
    "continuous:=false",
    "publish_initialpose:=true",
    "rescue_timeout_s:=0.5",
    "watch_topic:=slam_pose",
)


class Slam(Peer):
    """A SLAM that publishes at 20 Hz, and a camera at 20 Hz."""

    def __init__(self, log_file):
        super().__init__(namespace="/watched")
        self.heard["initialpose"] = []
        self.listen(PoseWithCovarianceStamped, "initialpose", "initialpose")
        self.slam = self.node.create_publisher(PoseWithCovarianceStamped, "slam_pose", 1)
        self.trigger = self.node.create_publisher(Empty, "relocalizer/trigger", 1)
        self.variance, self.red, self.log_file = BAD, LOST, log_file
        self.stamps_ns = itertools.count(1_000_000_000, 50_000_000)
        self.node.create_timer(0.05, self.step)

    def step(self):
        self.slam.publish(c.pose_to_msg(np.eye(4), np.eye(6) * self.variance, Header(frame_id="map")))
        self.send(self.red, next(self.stamps_ns))

    def show(self, red):
        """Send images with another red value from now on."""
        self.red = red

    def publish(self, variance):
        """Publish poses with another variance from now on."""
        self.variance = variance

    def rest(self, duration_s):
        end_s = self.node.get_clock().now().nanoseconds / 1e9 + duration_s
        self.wait(lambda: self.node.get_clock().now().nanoseconds / 1e9 > end_s)

    def count(self, text):
        return self.log_file.read_text().count(text)


@pytest.fixture
def slam(ros, tmp_path):
    with (tmp_path / "log").open("w") as log:
        process = run_node(*PARAMETERS, namespace="/watched", stderr=log)
        slam = Slam(tmp_path / "log")
        yield slam
        slam.node.destroy_node()
        process.terminate()
        assert process.wait(20) == 0


def test_rescues_follow_each_other_until_one_finds_a_pose(slam):
    assert slam.change(Transition.TRANSITION_CONFIGURE)
    slam.wait(lambda: slam.slam.get_subscription_count() and slam.trigger.get_subscription_count())
    slam.trigger.publish(Empty())
    slam.wait(lambda: slam.count("because the node is not active: ~/trigger was received"))
    slam.rest(0.5)
    assert not slam.count("relocalizing")  # an inactive node cannot
    assert slam.change(Transition.TRANSITION_ACTIVATE)
    slam.wait(lambda: slam.count(FAILED) >= 2)
    assert slam.count(STARTED) >= 2
    assert not slam.heard["initialpose"]
    slam.show(30)
    slam.wait(lambda: slam.heard["initialpose"])
    slam.wait(lambda: slam.count("the rescue found a pose; processed images: 1"))
    rescues = slam.count(STARTED)
    slam.rest(1.0)
    assert slam.count(STARTED) == rescues  # it waits for the effect of the pose
    slam.publish(GOOD)
    slam.rest(0.5)
    slam.publish(BAD)
    slam.wait(lambda: len(slam.heard["initialpose"]) == 2)
