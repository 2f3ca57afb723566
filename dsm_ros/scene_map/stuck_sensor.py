"""Detection of a stuck sensor: image or depth stays identical although the camera moved."""

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
MAX_STUCK_RATIO = 4  # of stuck to usable frames; above, the sensor hardly ever worked and no frame is trusted


class StuckSensor:
    """Poses at which each image and each depth of a recording occurred first."""

    def __init__(self) -> None:
        self._poses: dict[bytes, Pose44] = {}  # by digest

    def stale_parts(self, frame: Frame) -> tuple[str, ...]:
        """Return a reason for each part of a frame, image and depth, that repeats an earlier frame's.

        Constant images and depths do not count, because a blank wall looks the same from several positions.
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
    """Return an error message when too many frames were left out because of a stuck sensor, or None.

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
