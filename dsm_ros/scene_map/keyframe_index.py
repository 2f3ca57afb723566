"""Index of the keyframes most similar in appearance, or nearest in position."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from dsm_ros.geometry.pose import Pose44
from dsm_ros.scene_map.retrieval import Retrieval

UNIT_M, UNIT_RAD = 1.0, 0.5  # translation and rotation that reduce the overlap of two views equally
MAX_COST = 4.0


class KeyframePoses:
    """The ids and poses (map_T_camera) of keyframes, in memory."""

    def __init__(self, ids: Sequence[int], poses_N44: NDArray[np.float64]):
        self.ids, self.poses_N44 = list(ids), poses_N44
        self._positions_3N = np.ascontiguousarray(poses_N44[:, :3, 3].T)

    def nearest(self, map_T_camera: Pose44, count: int) -> list[int]:
        """Return the ids of up to ``count`` keyframes whose position and viewing direction are nearest to a pose."""
        away_N = np.sqrt(sum((self._positions_3N[axis] - map_T_camera[axis, 3]) ** 2 for axis in range(3)))
        (close_K,) = np.nonzero(away_N < UNIT_M * MAX_COST)
        cosine_K = self.poses_N44[close_K, :3, 2] @ map_T_camera[:3, 2]
        cost_K = away_N[close_K] / UNIT_M + np.arccos(np.clip(cosine_K, -1, 1)) / UNIT_RAD
        near_K = np.argsort(cost_K)[:count]
        return [self.ids[close_K[k]] for k in near_K if cost_K[k] < MAX_COST]


class KeyframeIndex(KeyframePoses):
    """The ids, poses (map_T_camera) and descriptors of keyframes, in memory."""

    def __init__(self, ids: Sequence[int], poses_N44: NDArray[np.float64], descriptors_ND: Tensor):
        super().__init__(ids, poses_N44)
        self._retrieval = Retrieval(descriptors_ND)

    def retrieve(self, descriptor_D: Tensor, count: int) -> list[int]:
        """Return the ids of up to ``count`` keyframes with the most similar descriptors, best first [paper 3.1]."""
        return [self.ids[row] for row, _ in self._retrieval.nearest(descriptor_D, count)]
