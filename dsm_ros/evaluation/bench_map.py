"""Maps with more keyframes than were recorded, for measuring the cost of searching a large map."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from dsm_ros.network.features import KeyframeFeatures
from dsm_ros.scene_map.keyframe_index import KeyframeIndex
from dsm_ros.scene_map.scene_map import SceneMap
from dsm_ros.scene_map.store import MapStore

ROOM_M = 10.0  # distance between two copies of the place, larger than the place


class CopyingStore(MapStore):
    """The tables of a map, with copies of its keyframes; a copy has the features of its original.

    originals: the id of the original by the id of the copy.
    """

    def __init__(self, uri: str, originals: dict[int, int]):
        super().__init__(uri)
        self._originals = originals

    def features(self, ids: Sequence[int], model_hash: str) -> list[KeyframeFeatures]:
        """Return the features of keyframes and copies in the order of ``ids``."""
        return super().features([self._originals.get(i, i) for i in ids], model_hash)


def resized_map(scene_map: SceneMap, count: int) -> SceneMap:
    """Return a map of ``count`` keyframes: the first keyframes of a map, or all keyframes and copies of them.

    Copies of keyframes are placed further along x. The descriptor of a copy is random, at the mean distance of the
    map's descriptors from their mean.
    """
    ids = np.array(scene_map.ids)
    rows_K, rooms_K = np.arange(count) % len(ids), np.arange(count) // len(ids)
    ids_K = np.where(rooms_K == 0, ids[rows_K], -np.arange(count))  # recorded ids are positive
    poses_K44 = scene_map.poses_N44[rows_K]
    poses_K44[:, 0, 3] += ROOM_M * rooms_K
    _, descriptors_ND = scene_map.store.descriptors(scene_map.model_hash)
    copied_MD = _like(descriptors_ND, max(0, count - len(ids)))
    originals = dict(zip(ids_K.tolist(), ids[rows_K].tolist(), strict=True))
    index = KeyframeIndex(ids_K.tolist(), poses_K44, torch.cat([descriptors_ND[:count], copied_MD]))
    store = CopyingStore(scene_map.store.uri, originals)
    return SceneMap(store, scene_map.model_hash, str(scene_map.device), index)


def _like(descriptors_ND: Tensor, count: int) -> Tensor:
    mean_D = descriptors_ND.mean(0)
    distance = (descriptors_ND - mean_D).norm(dim=1).mean()
    noise_MD = torch.randn(count, len(mean_D), generator=torch.Generator().manual_seed(0))
    return F.normalize(mean_D + distance * F.normalize(noise_MD, dim=1), dim=1)
