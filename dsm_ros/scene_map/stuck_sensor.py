"""Images of a sensor that has stopped: the same bytes again, though the camera moved."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from dsm_ros.datasets.frame import Frame
from dsm_ros.geometry.pose import Pose44, pose_error

MOVED_M, MOVED_DEG = 0.05, 3.0
STUCK_DEPTH = "its depth is that of an earlier image, though the camera moved"
STUCK_IMAGE = "its image is that of an earlier one, though the camera moved"
MAX_STUCK = 4  # times as many frames as are used: of a sensor that hardly ever runs, the rest is not to be trusted


class StuckSensor:
    """Where the camera was when each image and depth of a recording was first seen."""

    def __init__(self) -> None:
        self._poses: dict[bytes, Pose44] = {}  # by digest

    def lacks(self, frame: Frame) -> tuple[str, ...]:
        """Return what of a frame, which has depth and pose, is of an earlier one; remembers the rest.

        A constant image or depth is no sign: a wall straight ahead looks the same from beside.
        """
        parts = ((STUCK_DEPTH, frame.depth_HW), (STUCK_IMAGE, frame.image_HW3))
        return tuple(told for told, array in parts if array is not None and self._is_stuck(array, frame.map_T_camera))

    def _is_stuck(self, array: NDArray[np.generic], map_T_camera: Pose44 | None) -> bool:
        if map_T_camera is None or _is_constant(array):
            return False
        digest = blake2b(np.ascontiguousarray(array).tobytes(), digest_size=16).digest()
        distance_m, angle_deg = pose_error(map_T_camera, self._poses.setdefault(digest, map_T_camera))
        return distance_m > MOVED_M or angle_deg > MOVED_DEG


def stopped(left_out: Mapping[str, int], used: int) -> str | None:
    """Return one line when so many frames, by reason, are of a stuck sensor that those used are no map; None else."""
    told = [f"{left_out[reason]} frames: {reason}" for reason in (STUCK_DEPTH, STUCK_IMAGE) if left_out.get(reason)]
    if max(left_out.get(STUCK_DEPTH, 0), left_out.get(STUCK_IMAGE, 0)) <= MAX_STUCK * used:
        return None
    return f"{'; '.join(told)}; check that the camera runs, and that the poses are of this recording"


def _is_constant(array: NDArray[np.generic]) -> bool:
    known = array[np.isfinite(array) & (array != 0)]
    return not known.size or bool((known == known[0]).all())
