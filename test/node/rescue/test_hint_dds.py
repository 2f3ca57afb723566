"""Hints in the first goal of an idle node, which knows neither the camera's frame nor /tf yet, over real DDS."""

import itertools

import numpy as np
import pytest
from dds_peer import Peer, run_node
from dsm_ros.action import Relocalize
from rclpy.action import ActionClient
from std_msgs.msg import Header
from tf2_msgs.msg import TFMessage

from dsm_ros.geometry.pose import make_pose
from dsm_ros.node.interface import conversions as c
from dsm_ros.node.interface.topics import LATCHED


class Robot(Peer):
    """An idle node beside AMCL: x of the camera in the map is x of the base in odom, plus 10 m."""

    def __init__(self):
        super().__init__(namespace="/hinted")
        self.static = self.node.create_publisher(TFMessage, "/tf_static", LATCHED)
        self.tf = self.node.create_publisher(TFMessage, "/tf", 100)
        self.place(self.static, "base_link", "cam_optical", 0.0)
        self.node.create_timer(0.02, lambda: self.place(self.tf, "map", "odom", 10.0))
        self.stamps_ns = itertools.count(1_000_000_000, 100_000_000)
        self.goals = ActionClient(self.node, Relocalize, "relocalizer/relocalize")
        self.wait(self.goals.server_is_ready)

    def place(self, publisher, parent, child, x_m):
        stamp = self.node.get_clock().now().to_msg()
        transform = c.transform_to_msg(at(x_m), Header(frame_id=parent, stamp=stamp), child)
        publisher.publish(TFMessage(transforms=[transform]))

    def first_status(self, frame, x_m):
        """The status of the first image after a goal with a hint; the camera is at x = 0.2 m, y = 40 m."""
        hint = c.pose_to_msg(at(x_m, 40.0), np.zeros((6, 6)), Header(frame_id=frame))
        handle = self.answer_to(
            lambda: self.goals.send_goal_async(Relocalize.Goal(timeout_s=60.0, use_hint=True, hint=hint))
        )
        assert handle.accepted
        self.connect()
        return self.ask(20, next(self.stamps_ns))


def at(x_m, y_m=0.0):
    return make_pose(np.eye(3), [x_m, y_m, 0])


@pytest.fixture
def robot(ros):
    process = run_node("continuous:=false", "base_frame:=base_link", "publish_tf:=false", namespace="/hinted")
    robot = Robot()
    yield robot
    robot.node.destroy_node()
    process.terminate()
    assert process.wait(20) == 0


@pytest.mark.parametrize(("frame", "x_m", "off"), [("map", 10.2, "10.00 m"), ("odom", 5.2, "15.00 m")])
def test_the_hint_of_the_first_goal_is_used_when_an_image_names_the_frame_of_the_camera(robot, frame, x_m, off):
    status = robot.first_status(frame, x_m)
    assert (status.reason, status.hint_report) == ("contradicts_hint", "")
    assert f"{off} from the hint" in status.detail


def test_a_hint_in_a_frame_that_stays_unknown_is_reported(robot):
    assert "nowhere" in robot.first_status("nowhere", 10.2).hint_report
