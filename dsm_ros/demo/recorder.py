"""Recorder of the node's poses and statuses, and of the topics that viewers display."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import rclpy
from geometry_msgs.msg import PoseWithCovarianceStamped
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node

from dsm_ros.demo.bag import record_bag
from dsm_ros.geometry.pose import Pose44
from dsm_ros.messages.pose import pose_from_msg, stamp_ns_of
from dsm_ros.msg import RelocalizationStatus

DRAIN_S = 1.0
QUEUE = 1000


@dataclass
class Recording:
    """Poses by timestamp (ns) and statuses with their times of arrival (s).

    shift_ns: time that the player added to the timestamps of the sequence.
    """

    poses: dict[int, Pose44] = field(default_factory=dict)
    statuses: list[tuple[float, RelocalizationStatus]] = field(default_factory=list)
    shift_ns: int = 0

    def add_pose(self, message: PoseWithCovarianceStamped) -> None:
        """Add a pose message to the recording."""
        self.poses[stamp_ns_of(message.header.stamp)] = pose_from_msg(message)

    def add_status(self, message: RelocalizationStatus) -> None:
        """Add a status message to the recording."""
        self.statuses.append((time.monotonic(), message))


def record(running: Callable[[], bool], bag: Path) -> Recording:
    """Record while ``running`` returns True, and DRAIN_S longer for messages in transit."""
    recording = Recording()
    context = rclpy.Context()
    context.init()
    node = Node("demo_recorder", context=context)
    node.create_subscription(PoseWithCovarianceStamped, "relocalizer/pose", recording.add_pose, QUEUE)
    node.create_subscription(RelocalizationStatus, "relocalizer/status", recording.add_status, QUEUE)
    executor = SingleThreadedExecutor(context=context)
    executor.add_node(node)
    try:
        with record_bag(node, bag):
            while running():
                executor.spin_once(timeout_sec=0.1)
            deadline_s = time.monotonic() + DRAIN_S
            while time.monotonic() < deadline_s:
                executor.spin_once(timeout_sec=0.1)
    finally:
        executor.shutdown()
        node.destroy_node()
        context.try_shutdown()
    return recording
