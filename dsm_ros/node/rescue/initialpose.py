"""Publisher of the poses of rescues on ``initialpose``, for AMCL and other localizers."""

from __future__ import annotations

from geometry_msgs.msg import PoseWithCovarianceStamped

from dsm_ros.geometry.trajectory import Missing
from dsm_ros.localization.result import Localized
from dsm_ros.node.conversions import pose_to_msg
from dsm_ros.node.images.frame_report import FrameReport
from dsm_ros.node.interface import RESCUE_POSE
from dsm_ros.node.node_scope import NodeScope
from dsm_ros.node.outputs import Outputs
from dsm_ros.node.rescue.base_frame import BaseFrame, same_message


class InitialPose:
    """Publishes the pose of the base after a successful rescue."""

    def __init__(self, scope: NodeScope, base: BaseFrame, outputs: Outputs):
        self._logger, self._base, self._outputs = scope.node.get_logger(), base, outputs
        self._publisher = scope.publisher(RESCUE_POSE)
        self._sent: PoseWithCovarianceStamped | None = None

    def publish(self, report: FrameReport) -> None:
        """Publish the pose of a report; log the reason if the pose of the camera on the base is unknown."""
        if not isinstance(report.result, Localized):
            return
        map_T_base = self._base.map_T_base(report.result.map_T_camera, report.header.frame_id)
        if isinstance(map_T_base, Missing):
            self._logger.warning(f"initialpose is not sent: {map_T_base.reason}")
            return
        header = self._outputs.header(report.header.stamp)
        self._sent = pose_to_msg(map_T_base, report.result.covariance_66, header)
        self._publisher.publish(self._sent)

    def is_own(self, message: PoseWithCovarianceStamped) -> bool:
        """Return whether a message on ``initialpose`` is the last one that this node published."""
        return same_message(message, self._sent)
