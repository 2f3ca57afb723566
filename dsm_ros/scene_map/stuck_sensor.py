"""Detection of a stuck sensor, which repeats an image or a depth image although the camera moved."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from dsm_ros.datasets.frame import Frame
from dsm_ros.geometry.pose import Pose44, pose_error

MOVED_M, MOVED_DEG = 0.05, 3.0
STUCK_DEPTH = "its depth equals that of an earlier frame although the camera moved"
STUCK_IMAGE = "its image equals that of an earlier frame although the camera moved"
MAX_STUCK_RATIO = 4  # maximum ratio of stuck to usable frames; above this ratio, no frame of the sensor is trusted


class StuckSensor:
    """The pose at which each image and each depth image of a recording occurred first."""

    def __init__(self) -> None:
        self._poses: dict[bytes, Pose44] = {}  # first pose of each image and each depth image, by digest

    def stale_parts(self, frame: Frame) -> tuple[str, ...]:
        """Return a reason for each part of a frame, image or depth, that is identical to the part of an earlier frame.

        Images and depth images of one constant value are ignored, because a blank wall looks the same from several
        places.
        """
        parts = ((STUCK_DEPTH, frame.depth_HW), (STUCK_IMAGE, frame.image_HW3))
        return tuple(text for text, array in parts if array is not None and self._is_stuck(array, frame.map_T_camera))

    def _is_stuck(self, array: NDArray[np.generic], map_T_camera: Pose44 | None) -> bool:
        if map_T_camera is None or _is_constant(array):
            return False
        digest = blake2b(np.ascontiguousarray(array).tobytes(), digest_size=16).digest()
        distance_m, angle_deg = pose_error(map_T_camera, self._poses.setdefault(digest, map_T_camera))
        return distance_m > MOVED_M or angle_deg > MOVED_DEG


def stuck_sensor_problem(left_out: Mapping[str, int], used: int) -> str | None:
    """Return an error message when too many frames were left out because of a stuck sensor, otherwise None.

    left_out: number of frames by reason. used: number of usable frames.
    """
    counts = {reason: left_out.get(reason, 0) for reason in (STUCK_DEPTH, STUCK_IMAGE)}
    if max(counts.values()) <= MAX_STUCK_RATIO * used:
        return None
    figures = "; ".join(f"{count} frames: {reason}" for reason, count in counts.items() if count)
    return f"{figures}; check that the camera works, and that the poses belong to this recording"


def _is_constant(array: NDArray[np.generic]) -> bool:
    known = array[np.isfinite(array) & (array != 0)]
    return not known.size or bool((known == known[0]).all())
