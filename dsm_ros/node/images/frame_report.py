"""What became of one image, for everybody who wants to know."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from std_msgs.msg import Header

from dsm_ros.localization.result import Reason, Result
from dsm_ros.localization.tracker import State
from dsm_ros.node.tf.map_broadcaster import Jump


@dataclass(frozen=True)
class Answer:
    """One image and what was said of it.

    header: of the image. result, state: the tracker's. received_s: monotonic. image_HW3: uint8 RGB, None when it could
    not be read. hint_report: why the last hint was given up. tf_problem: why no transform was sent for a pose.
    """

    header: Header
    result: Result
    state: State
    received_s: float
    image_HW3: NDArray[np.uint8] | None = None
    hint_report: str = ""
    tf_problem: str = ""
    jump: Jump | None = None


@dataclass
class Faults:
    """Images that could not be used as they came, since activation.

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
        name = _FAULTS[reason]
        setattr(self, name, getattr(self, name) + 1)


_FAULTS = {
    Reason.UNREADABLE_IMAGE: "unreadable",
    Reason.NO_CAMERA_INFO: "without_camera_info",
    Reason.NO_TF: "without_tf",
    Reason.STALE_IMAGES: "absent",
}
