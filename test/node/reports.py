"""Reports of images with and without a pose."""

import numpy as np
from std_msgs.msg import Header

from dsm_ros.geometry.pose_covariance import UncertainPose
from dsm_ros.localization.result import Localized, NotLocalized, Reason, SceneCoordinates, Support
from dsm_ros.localization.tracker import State
from dsm_ros.node.images.frame_report import FrameReport

NOTHING = SceneCoordinates(
    np.zeros((1, 1, 3)),
    np.zeros((1, 1), np.float32),
    np.zeros((1, 1, 2), np.float32),
    np.zeros((1, 1, 3), np.uint8),
)
POSE = UncertainPose(np.eye(4), np.eye(6))
FOUND = FrameReport(Header(), Localized(np.eye(4), np.eye(6), Support(), NOTHING), State.TRACKING, 0.0, pose=POSE)
FAILED = FrameReport(Header(), NotLocalized(Reason.TOO_FEW_INLIERS, "7 of 9"), State.LOST, 0.0)
