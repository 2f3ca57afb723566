"""Report of one processed image: the result, the tracker's state, and what the node adds to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from std_msgs.msg import Header

from dsm_ros.localization.result import NotLocalized, Reason, Result
from dsm_ros.localization.tracker import State
from dsm_ros.node.tf.map_broadcaster import Jump


@dataclass(frozen=True)
class FrameReport:
    """One image, or one of each camera of a rig, and its result.

    header: of the image. result, state: the tracker's. received_s: monotonic. image_HW3: uint8 RGB, None when it could
    not be read. hint_report: why the last hint was dropped. tf_problem: why no transform was sent for a pose.
    """

    header: Header
    result: Result
    state: State
    received_s: float
    image_HW3: NDArray[np.uint8] | None = None
    hint_report: str = ""
    tf_problem: str = ""
    jump: Jump | None = None

    @property
    def reason(self) -> str:
        """Why there is no pose or no transform, as one of the documented words; empty when there are both."""
        if isinstance(self.result, NotLocalized):
            return str(self.result.reason)
        return str(Reason.NO_TF) if self.tf_problem else ""

    @property
    def detail(self) -> str:
        """The reason as a sentence; empty when there is none."""
        return self.result.detail if isinstance(self.result, NotLocalized) else self.tf_problem


@dataclass
class FaultCounts:
    """Images that could not be used as they came, since the node was configured.

    after_time_jump: the first after the stamps went back or leapt ahead. absent: of a rig's cameras.
    """

    unreadable: int = 0
    without_camera_info: int = 0
    without_stamp: int = 0
    out_of_order: int = 0
    after_time_jump: int = 0
    without_tf: int = 0
    absent: int = 0

    def count(self, reason: Reason) -> None:
        """Count an image that was left out."""
        match reason:
            case Reason.UNREADABLE_IMAGE:
                self.unreadable += 1
            case Reason.NO_CAMERA_INFO:
                self.without_camera_info += 1
            case Reason.NO_TF:
                self.without_tf += 1
            case Reason.STALE_IMAGES:
                self.absent += 1
