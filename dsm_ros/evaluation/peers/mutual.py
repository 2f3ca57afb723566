"""Matching of descriptors by mutual nearest neighbours."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def mutual_matches(
    query_QD: Tensor, keyframe_KD: Tensor, min_similarity: float = -1.0, max_ratio: float | None = None
) -> NDArray[np.int64]:
    """Return pairs of rows (M, 2) of unit descriptors that are each other's nearest neighbours.

    max_ratio: maximum ratio of the distances to the nearest and second nearest neighbour (Lowe's ratio test).
    """
    if not len(query_QD) or len(keyframe_KD) < 2:
        return np.empty((0, 2), dtype=np.int64)
    similarity_QK = query_QD @ keyframe_KD.T
    best_Q, nearest_Q = similarity_QK.max(1)
    rows_Q = torch.arange(len(query_QD), device=query_QD.device)
    good_Q = (similarity_QK.argmax(0)[nearest_Q] == rows_Q) & (best_Q > min_similarity)
    if max_ratio is not None:
        similarity_QK[rows_Q, nearest_Q] = -1
        second_Q = similarity_QK.amax(1)
        good_Q &= (1 - best_Q) < max_ratio**2 * (1 - second_Q)  # the squared distance of unit vectors is 2 - 2 cos
    return torch.stack([rows_Q[good_Q], nearest_Q[good_Q]], dim=1).cpu().numpy()
