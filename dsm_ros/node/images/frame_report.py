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
    used. jump: the distance by which the pose moved ``map -> odom``.
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
    """Counts of faulty images since the node was configured. /diagnostics shows the names of the fields.

    images_with_repeated_timestamp: images with the timestamp of the last image. timestamp_jumps: how often timestamps
    went back or jumped ahead. images_missing_from_rig: images of a rig's cameras that did not arrive with the images of
    the other cameras.
    """

    images_unreadable: int = 0
    images_without_camera_info: int = 0
    images_without_timestamp: int = 0
    images_with_repeated_timestamp: int = 0
    images_out_of_order: int = 0
    timestamp_jumps: int = 0
    images_without_transform: int = 0
    images_missing_from_rig: int = 0

    def count_missing_stamp(self) -> None:
        """Count an image without timestamp."""
        self.images_without_timestamp += 1

    def count_repeated_stamp(self) -> None:
        """Count an image with the timestamp of the last image."""
        self.images_with_repeated_timestamp += 1

    def count_out_of_order(self) -> None:
        """Count an image that is older than the last image."""
        self.images_out_of_order += 1

    def count_time_jump(self) -> None:
        """Count a jump of the timestamps."""
        self.timestamp_jumps += 1

    def count(self, reason: Reason) -> None:
        """Count an image that cannot be used, by the reason."""
        match reason:
            case Reason.UNREADABLE_IMAGE:
                self.images_unreadable += 1
            case Reason.NO_CAMERA_INFO:
                self.images_without_camera_info += 1
            case Reason.NO_TF:
                self.images_without_transform += 1
            case Reason.STALE_IMAGES:
                self.images_missing_from_rig += 1
