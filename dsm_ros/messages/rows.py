"""Pixels of Image messages as arrays, with row step, padding and byte order applied."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def check_size(message: Any) -> None:
    """Raise ValueError for an Image without pixels."""
    if min(message.width, message.height) <= 0:
        raise ValueError(f"its size is {message.width}x{message.height}; check the camera driver")


def rows_of(message: Any, row_bytes: int, count: int) -> NDArray[np.uint8]:
    """Return ``count`` rows of an Image as bytes (count, step); a step of 0 means rows without padding.

    The array shares the message's memory. Raises ValueError when the step or the data is too small.
    """
    step = message.step or row_bytes
    if step < row_bytes:
        raise ValueError(f"step {step} is less than the {row_bytes} bytes of a row; check the publisher")
    size = len(message.data)
    if size < step * count:
        expected = f"{step} * {count} = {step * count}"
        raise ValueError(f"its data has {size} bytes instead of {expected}, so it is truncated; check the publisher")
    return np.frombuffer(message.data, np.uint8)[: step * count].reshape(count, step)


def pixels_of(message: Any, dtype_name: str, channels: int = 1) -> NDArray[Any]:
    """Return the pixels of an Image: (H, W), or (H, W, channels) for more than one channel.

    dtype_name: NumPy's name without byte order, for example u2. The array may share the message's memory.
    Raises ValueError for an impossible size or step, and for truncated data.
    """
    check_size(message)
    dtype = np.dtype(dtype_name).newbyteorder(">" if message.is_bigendian else "<")
    row_bytes = message.width * channels * dtype.itemsize
    pixels = np.ascontiguousarray(rows_of(message, row_bytes, message.height)[:, :row_bytes]).view(dtype)
    return pixels if channels == 1 else pixels.reshape(message.height, message.width, channels)
