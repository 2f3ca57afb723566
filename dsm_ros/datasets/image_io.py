"""Reading image files, with errors that name the file."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dsm_ros.errors import SequenceError


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """Return an image as (H, W, 3) uint8 RGB. Raises SequenceError when it cannot be read."""
    return np.asarray(_read(path, cv2.IMREAD_COLOR_RGB), dtype=np.uint8)


def read_depth(path: Path, units_per_m: float) -> NDArray[np.float32]:
    """Return a 16-bit depth image as (H, W) float32 metres, 0 = unknown (also 65535)."""
    raw_HW = _read(path, cv2.IMREAD_UNCHANGED)
    if raw_HW.ndim != 2 or raw_HW.dtype != np.uint16:
        raise SequenceError(f"{path} is no 16-bit depth image")
    return (np.where(raw_HW == 65535, 0, raw_HW) / units_per_m).astype(np.float32)


def _read(path: Path, flags: int) -> NDArray[np.generic]:
    try:
        data = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise SequenceError(f"cannot read {path}: {error.strerror}") from error
    image = cv2.imdecode(data, flags) if len(data) else None
    if image is None:
        raise SequenceError(f"{path} is no readable image; it may be damaged or cut short")
    return image
