"""ROS 2 node that requests a pose from the relocalizer whenever a SLAM system reports lost tracking.

Usage: ros2 run dsm_ros python examples/rescuer_node.py --ros-args -r lost:=/slam/lost -r found_pose:=/slam/set_pose
"""

import rclpy
from dsm_ros.action import Relocalize
from geometry_msgs.msg import PoseWithCovarianceStamped
from rclpy.action import ActionClient
from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from rclpy.task import Future
from std_msgs.msg import Bool


class Rescuer(Node):
    """Listens to `lost`, and publishes the pose on `found_pose`; on `initialpose`, the pose would be a hint."""

    def __init__(self) -> None:
        super().__init__("rescuer")
        self._is_waiting = False
        self._relocalize = ActionClient(self, Relocalize, "relocalizer/relocalize")
        self._found_pose = self.create_publisher(PoseWithCovarianceStamped, "found_pose", 1)
        self.create_subscription(Bool, "lost", self._on_lost, 1)

    def _on_lost(self, message: Bool) -> None:
        if message.data and not self._is_waiting and self._relocalize.server_is_ready():
            self._is_waiting = True
            self._relocalize.send_goal_async(Relocalize.Goal(timeout_s=10.0)).add_done_callback(self._on_accepted)

    def _on_accepted(self, answer: Future) -> None:
        goal = answer.result()
        self._is_waiting = goal.accepted
        if goal.accepted:
            goal.get_result_async().add_done_callback(self._on_result)
        else:
            self.get_logger().warning("the goal is rejected, because the relocalizer is not active")

    def _on_result(self, answer: Future) -> None:
        self._is_waiting = False
        result = answer.result().result
        if result.success:
            self._found_pose.publish(result.pose)
        else:
            self.get_logger().warning(f"no pose ({result.reason}): {result.detail}")


def main() -> None:
    """Run the node until Ctrl-C."""
    rclpy.init()
    try:
        rclpy.spin(Rescuer())
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    finally:
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()
