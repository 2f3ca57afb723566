"""Report of one processed image: result, tracker state, and problems that the node found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from std_msgs.msg import Header

from dsm_ros.geometry.pose_covariance import UncertainPose
from dsm_ros.localization.result import NotLocalized, Reason, Result
from dsm_ros.localization.tracker import State
from dsm_ros.node.tf.map_filter import Jump


@dataclass(frozen=True)
class FrameReport:
    """Result of one image, or of one image of each camera of a rig.

    header: of the image. received_s: arrival of the image (monotonic clock). image_HW3: uint8 RGB; None if it could not
    be decoded. pose: of the base in the map, or of the camera without a base frame. hint_report: why the last hint was
    dropped. tf_problem: why no transform was sent for the pose. left_out: why images of a rig's other cameras were not
    used.
    """

    header: Header
    result: Result
    state: State
    received_s: float
    image_HW3: NDArray[np.uint8] | None = None
    pose: UncertainPose | None = None
    hint_report: str = ""
    tf_problem: str = ""
    left_out: tuple[str, ...] = ()
    jump: Jump | None = None

    @property
    def reason(self) -> str:
        """Machine-readable reason why there is no pose or no transform; empty if there are both."""
        if isinstance(self.result, NotLocalized):
            return str(self.result.reason)
        return str(Reason.NO_TF) if self.tf_problem else ""

    @property
    def detail(self) -> str:
        """The reason as a sentence; empty if there is no reason."""
        return self.result.detail if isinstance(self.result, NotLocalized) else self.tf_problem

    @property
    def state_text(self) -> str:
        """The state, followed by the reason if there is one."""
        return f"{self.state}: {self.detail}" if self.detail else str(self.state)


@dataclass
class FaultCounts:
    """Counts of faulty images since the node was configured.

    after_time_jump: first images after timestamps went back or leapt ahead. absent: missing images of a rig's cameras.
    """

    unreadable: int = 0
    without_camera_info: int = 0
    without_stamp: int = 0
    out_of_order: int = 0
    after_time_jump: int = 0
    without_tf: int = 0
    absent: int = 0

    def count_missing_stamp(self) -> None:
        """Count an image without timestamp."""
        self.without_stamp += 1

    def count_out_of_order(self) -> None:
        """Count an image that is older than the last image."""
        self.out_of_order += 1

    def count_time_jump(self) -> None:
        """Count the first image after a jump in time."""
        self.after_time_jump += 1

    def count(self, reason: Reason) -> None:
        """Count an image that cannot be used, by the reason."""
        match reason:
            case Reason.UNREADABLE_IMAGE:
                self.unreadable += 1
            case Reason.NO_CAMERA_INFO:
                self.without_camera_info += 1
            case Reason.NO_TF:
                self.without_tf += 1
            case Reason.STALE_IMAGES:
                self.absent += 1
