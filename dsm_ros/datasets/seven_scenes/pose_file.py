"""Reading of 7-Scenes pose files: text files with one 4x4 camera-to-world matrix."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dsm_ros.datasets.text_file import parse_number, read_text
from dsm_ros.errors import SequenceError
from dsm_ros.geometry.pose import Pose44, make_pose, nearest_rotation

MAX_DISTANCE_M = 1e9
LAST_ROW_TOLERANCE = 1e-6


def read_pose(path: Path) -> Pose44 | None:
    """Return the 4x4 pose in a text file, with its rotation made orthonormal, or None when tracking was lost.

    NaN, infinity, zeros only, or an empty file mean lost tracking. Raises SequenceError for any other content that is
    not a pose.
    """
    try:
        numbers = np.array([parse_number(field) for field in read_text(path).split()])
        return _pose_of(numbers)
    except ValueError as error:
        advice = "correct the file, or remove it to leave the frame out"
        raise SequenceError(f"{path} is not a 4x4 pose ({error}); {advice}") from error


def _pose_of(numbers: np.ndarray) -> Pose44 | None:
    if not numbers.any():  # also true for an empty file
        return None
    if len(numbers) != 16:
        raise ValueError(f"it has {len(numbers)} numbers instead of 16")
    if not np.isfinite(numbers).all():
        return None
    pose_44 = numbers.reshape(4, 4)
    if np.abs(pose_44[3] - (0, 0, 0, 1)).max() > LAST_ROW_TOLERANCE:
        raise ValueError("the last row of its matrix is not 0 0 0 1")
    if np.linalg.det(pose_44[:3, :3]) <= 0:
        raise ValueError("its upper left 3x3 matrix is not a rotation")
    if np.abs(pose_44[:3, 3]).max() > MAX_DISTANCE_M:
        raise ValueError(f"its position is beyond {MAX_DISTANCE_M:g} m")
    return make_pose(nearest_rotation(pose_44[:3, :3]), pose_44[:3, 3])
