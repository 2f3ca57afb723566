"""Text files of one 4x4 camera-to-world matrix each, as of 7-Scenes."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dsm_ros.datasets.text_table import parse_number, read_text
from dsm_ros.errors import SequenceError
from dsm_ros.geometry.pose import Pose44, make_pose, nearest_rotation

MAX_DISTANCE_M = 1e9
LAST_ROW_TOLERANCE = 1e-6


def read_pose(path: Path) -> Pose44 | None:
    """Return the pose of a text file, its rotation made orthonormal; None where tracking was lost.

    Lost are NaN, infinity (of Visual C++ too), nothing but zeros, and an empty file. Raises SequenceError when the
    file holds no pose.
    """
    try:
        numbers = np.array([parse_number(field) for field in read_text(path).split()])
        return _pose_of(numbers)
    except ValueError as error:
        raise SequenceError(f"{path} is no 4x4 pose ({error}); mend it, or remove it to leave the frame out") from error


def _pose_of(numbers: np.ndarray) -> Pose44 | None:
    if not numbers.any():  # also of an empty file
        return None
    if len(numbers) != 16:
        raise ValueError(f"it has {len(numbers)} numbers, not 16")
    if not np.isfinite(numbers).all():
        return None
    pose_44 = numbers.reshape(4, 4)
    if np.abs(pose_44[3] - (0, 0, 0, 1)).max() > LAST_ROW_TOLERANCE:
        raise ValueError("its last row is not 0 0 0 1")
    if np.linalg.det(pose_44[:3, :3]) <= 0:
        raise ValueError("its rotation is none, or a mirror")
    if np.abs(pose_44[:3, 3]).max() > MAX_DISTANCE_M:
        raise ValueError(f"its position is beyond {MAX_DISTANCE_M:g} m")
    return make_pose(nearest_rotation(pose_44[:3, :3]), pose_44[:3, 3])
