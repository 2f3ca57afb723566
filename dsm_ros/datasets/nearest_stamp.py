"""Search for the message nearest in time to an image."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def nearest_stamp(stamps_ns: NDArray[np.int64], stamp_ns: int, max_gap_ns: int) -> int | None:
    """Return the index of the stamp nearest to ``stamp_ns``, or None when none is within ``max_gap_ns``.

    stamps_ns: (N,) in ascending order.
    """
    if not len(stamps_ns):
        return None
    after = int(np.searchsorted(stamps_ns, stamp_ns))
    best = min((i for i in (after - 1, after) if 0 <= i < len(stamps_ns)), key=lambda i: abs(stamps_ns[i] - stamp_ns))
    return best if abs(stamps_ns[best] - stamp_ns) <= max_gap_ns else None
