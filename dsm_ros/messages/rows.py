"""Pixels of Image messages as arrays: the step between rows, padding and byte order."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def check_size(message: Any) -> None:
    """Raise ValueError for an Image without pixels."""
    if min(message.width, message.height) <= 0:
        raise ValueError(f"its size is {message.width}x{message.height}; check the camera driver")


def rows_of(message: Any, row_bytes: int, count: int) -> NDArray[np.uint8]:
    """Return ``count`` rows of step bytes of an Image; some publishers leave step at 0 for rows without padding.

    The array shares the message's memory. Raises ValueError when the step or the data is too small.
    """
    step = message.step or row_bytes
    if step < row_bytes:
        raise ValueError(f"step {step} is less than the {row_bytes} bytes of a row; check the publisher")
    size = len(message.data)
    if size < step * count:
        raise ValueError(f"its data has {size} bytes, not {step} * {count} = {step * count}; it was sent truncated")
    return np.frombuffer(message.data, np.uint8)[: step * count].reshape(count, step)


def pixels_of(message: Any, dtype_name: str, channels: int = 1) -> NDArray[Any]:
    """Return the pixels of an Image in the message's byte order: (H, W), or (H, W, channels) for more than one.

    dtype_name: numpy's, without byte order, as in u2. The array may share the message's memory.
    Raises ValueError for an impossible size or step, and for too little data.
    """
    check_size(message)
    dtype = np.dtype(dtype_name).newbyteorder(">" if message.is_bigendian else "<")
    row_bytes = message.width * channels * dtype.itemsize
    pixels = np.ascontiguousarray(rows_of(message, row_bytes, message.height)[:, :row_bytes]).view(dtype)
    return pixels if channels == 1 else pixels.reshape(message.height, message.width, channels)
