"""Publisher of the poses of rescues on ``initialpose``, for AMCL and other localizers."""

from __future__ import annotations

from geometry_msgs.msg import PoseWithCovarianceStamped

from dsm_ros.node.images.frame_report import FrameReport
from dsm_ros.node.interface.conversions import pose_to_msg
from dsm_ros.node.interface.node_scope import NodeScope
from dsm_ros.node.interface.topics import RESCUE_POSE
from dsm_ros.node.outputs.outputs import Outputs
from dsm_ros.node.tf.base_frame import BaseFrame, same_message


class InitialPose:
    """Publishes the pose of the base after a successful rescue."""

    def __init__(self, scope: NodeScope, base: BaseFrame, outputs: Outputs):
        self._logger, self._base, self._outputs = scope.node.get_logger(), base, outputs
        self._publisher = scope.publisher(RESCUE_POSE)
        self._sent: PoseWithCovarianceStamped | None = None

    def publish(self, report: FrameReport) -> None:
        """Publish the pose of a report; log the reason if the pose of the camera on the base is unknown."""
        if report.pose is None:
            self._logger.warning(f"initialpose is not sent: {report.detail}")
            return
        pose = self._base.initialpose(report.pose)
        self._sent = pose_to_msg(pose.a_T_b, pose.covariance_66, self._outputs.header(report.header.stamp))
        self._publisher.publish(self._sent)

    def is_own(self, message: PoseWithCovarianceStamped) -> bool:
        """Return whether a message on ``initialpose`` is the last one that this node published."""
        return same_message(message, self._sent)
