"""Decoding of RVL, a run-length code for 16-bit depth (Wilson 2017, Fast Lossless Depth Image Compression)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MAX_NIBBLES = 10  # 30 bits, more than any pixel count
TRUNCATED = "its RVL data is truncated; check the publisher"


def decode_rvl(data: bytes, count: int) -> NDArray[np.uint16]:
    """Decode ``count`` 16-bit values of RVL data, whose little-endian words have the first nibble in the highest bits.

    Raises ValueError for data that is truncated or has another number of values.
    """
    values_N = _values(data)
    runs_R2 = _runs(values_N, count)
    used = int(runs_R2[:, 1].sum()) + runs_R2.size
    starts_R = np.cumsum(runs_R2[:, 1] + 2) - runs_R2[:, 1] - 2
    is_step_N = np.ones(used, bool)
    is_step_N[starts_R] = is_step_N[starts_R + 1] = False
    zigzag = values_N[:used][is_step_N]
    known = np.cumsum((zigzag >> 1) ^ -(zigzag & 1))
    if known.size and not 0 <= known.min() <= known.max() <= 65535:
        raise ValueError("its RVL data has values of more than 16 bits, so it is damaged; check the publisher")
    image = np.zeros(count, np.uint16)
    image[np.repeat(np.tile([False, True], len(runs_R2)), runs_R2.ravel())] = known
    return image


def _values(data: bytes) -> NDArray[np.int64]:
    """Decode variable-length numbers: 3 bits per nibble, lowest first; the top bit says that more nibbles follow."""
    words = np.frombuffer(data, "<u4", len(data) // 4)
    pairs = words.astype(">u4").view(np.uint8)
    nibbles = np.stack([pairs >> 4, pairs & 15], axis=1).ravel()
    ends_N = np.flatnonzero(nibbles < 8)
    starts_N = np.concatenate([[0], ends_N[:-1] + 1])[: len(ends_N)]
    sizes_N = ends_N - starts_N + 1
    longest = int(sizes_N.max(initial=0))
    if longest > MAX_NIBBLES:
        raise ValueError("its RVL data has a number without an end, so it is damaged; check the publisher")
    values_N = (nibbles[starts_N] & 7).astype(np.int64)
    for place in range(1, longest):
        longer = np.flatnonzero(sizes_N > place)
        values_N[longer] |= (nibbles[starts_N[longer] + place] & 7).astype(np.int64) << (3 * place)
    return values_N


def _runs(values_N: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Return the lengths (R, 2) of alternating runs of zeros and other values, up to ``count`` values in total."""
    values, runs, at, done = values_N.data, [], 0, 0  # a memoryview yields Python integers, which are faster to add
    while done < count:
        if at + 2 > len(values):
            raise ValueError(TRUNCATED)
        zeros, others = values[at], values[at + 1]
        runs.append((zeros, others))
        done += zeros + others
        at += 2 + others
    if at > len(values):
        raise ValueError(TRUNCATED)
    if done != count:
        raise ValueError(f"its RVL data has more pixels than the {count} in its header; check the publisher")
    return np.array(runs, np.int64).reshape(-1, 2)
