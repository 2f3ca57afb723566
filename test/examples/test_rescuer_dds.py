"""The rescuer example over DDS, beside an action server that stands in for the relocalizer."""

import os
import subprocess
import sys
import time
from itertools import chain, repeat
from pathlib import Path

import pytest

rclpy = pytest.importorskip("rclpy")

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "rescuer_node.py"
TIMEOUT_S = 30.0


@pytest.fixture
def rescuer(ros):
    process = subprocess.Popen([sys.executable, str(EXAMPLE)], env=os.environ)
    yield process
    process.terminate()
    assert process.wait(20) == 0


@pytest.fixture
def node(ros):
    from rclpy.node import Node

    node = Node("slam")
    yield node
    node.destroy_node()


REJECTED, FAILED = "rejected", "failed"


def relocalizer(node, outcomes):
    """Serve the relocalizer's action: each goal takes the next outcome: REJECTED, FAILED, or the x of a pose."""
    from dsm_ros.action import Relocalize
    from rclpy.action import ActionServer, GoalResponse

    taken = []

    def accept(request):
        taken.append(next(outcomes))
        return GoalResponse.REJECT if taken[-1] == REJECTED else GoalResponse.ACCEPT

    def execute(goal):
        result = Relocalize.Result(detail="too dark")
        if taken[-1] == FAILED:
            goal.abort()
            return result
        goal.succeed()
        result.success, result.pose.pose.pose.position.x = True, taken[-1]
        return result

    return ActionServer(node, Relocalize, "/relocalizer/relocalize", execute, goal_callback=accept)


def test_a_lost_slam_gets_the_pose_that_was_found_after_goals_that_were_rejected_or_failed(rescuer, node):
    from geometry_msgs.msg import PoseWithCovarianceStamped
    from std_msgs.msg import Bool

    poses, hints = [], []
    node.create_subscription(PoseWithCovarianceStamped, "found_pose", poses.append, 1)
    node.create_subscription(PoseWithCovarianceStamped, "initialpose", hints.append, 1)
    server = relocalizer(node, chain([REJECTED, FAILED], repeat(4.0)))  # a goal may follow while the pose is on its way
    lost = node.create_publisher(Bool, "lost", 1)
    deadline_s = time.monotonic() + TIMEOUT_S
    while not poses:
        assert time.monotonic() < deadline_s
        lost.publish(Bool(data=True))
        rclpy.spin_once(node, timeout_sec=0.1)
    server.destroy()
    assert poses[0].pose.pose.position.x == 4.0
    assert not hints  # the relocalizer would take the pose for a hint, and start a new search
