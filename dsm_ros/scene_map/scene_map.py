"""A map opened for localization: poses and descriptors in memory, features read when retrieved."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from dsm_ros.errors import MapError
from dsm_ros.geometry.pose import Pose44, transform
from dsm_ros.network.features import KeyframeFeatures
from dsm_ros.scene_map.keyframe import Keyframe
from dsm_ros.scene_map.retrieval import Retrieval
from dsm_ros.scene_map.store import MapStore, open_store

CACHE_BYTES = 2_000_000_000
DISPLAY_KEYFRAMES = 40
NEAR_M, NEAR_RAD = 1.0, 0.5  # a step aside and a turn that cost a view about as much
FAR_COST = 4.0


class SceneMap:
    """Read-only view of the keyframes that have features of one model. Safe to read from several threads."""

    def __init__(self, store: MapStore, model_hash: str):
        self.store, self.model_hash = store, model_hash
        index = store.index().to_pydict()
        poses = {i: np.array(pose).reshape(4, 4) for i, pose in zip(index["id"], index["map_T_camera"], strict=True)}
        ids, descriptors_ND = store.descriptors(model_hash)
        rows = [row for row, i in enumerate(ids) if i in poses]
        if not rows:
            raise MapError(_no_features(store))
        self.ids = [ids[row] for row in rows]
        self.poses_N44: NDArray[np.float64] = np.stack([poses[i] for i in self.ids])
        self.frame_name: str = store.meta["frame"]
        self._retrieval = Retrieval(descriptors_ND[rows])
        self._cache: OrderedDict[int, KeyframeFeatures] = OrderedDict()
        self._cached_bytes = 0
        self._lock = threading.Lock()

    @classmethod
    def open(cls, uri: str, model_hash: str) -> SceneMap:
        """Open a map for a model. Raises MapError when it is missing, unreadable or has no features of the model."""
        return cls(open_store(uri), model_hash)

    def retrieve(self, descriptor_D: Tensor, count: int) -> list[int]:
        """Return the ids of up to ``count`` keyframes that look most like a descriptor, best first."""
        return [self.ids[row] for row, _ in self._retrieval.nearest(descriptor_D, count)]

    def nearest(self, map_T_camera: Pose44, count: int) -> list[int]:
        """Return the ids of up to ``count`` keyframes that see what a camera there sees, nearest first."""
        away_N = np.linalg.norm(self.poses_N44[:, :3, 3] - map_T_camera[:3, 3], axis=1)
        ahead_N = self.poses_N44[:, :3, 2] @ map_T_camera[:3, 2]
        cost_N = away_N / NEAR_M + np.arccos(np.clip(ahead_N, -1, 1)) / NEAR_RAD
        rows = np.argsort(cost_N)[:count]
        return [self.ids[row] for row in rows if cost_N[row] < FAR_COST]

    def features(self, ids: Sequence[int]) -> list[KeyframeFeatures]:
        """Return the features of keyframes in the order asked, from memory where they were used before."""
        with self._lock:
            missing = [i for i in ids if i not in self._cache]
            for i, features in zip(missing, self.store.features(missing, self.model_hash), strict=True):
                self._cache[i] = features
                self._cached_bytes += _size_bytes(features)
            found = [self._cache[i] for i in ids]
            for i in ids:
                self._cache.move_to_end(i)
            while self._cached_bytes > CACHE_BYTES and len(self._cache) > len(ids):
                self._cached_bytes -= _size_bytes(self._cache.popitem(last=False)[1])
        return found

    def keyframe(self, keyframe_id: int) -> Keyframe:
        """Return a keyframe with its image and depth; MapError when it is not in the map."""
        found = self.store.keyframes([keyframe_id])
        if not found:
            raise MapError(f"the map has no keyframe {keyframe_id}")
        return found[0]

    def points(self, max_points: int) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        """Return up to ``max_points`` points for display: (N, 3) metres in the map frame and (N, 3) RGB."""
        spread = self.ids[:: max(1, len(self.ids) // DISPLAY_KEYFRAMES)]
        clouds = [_cloud(keyframe, max(1, max_points // len(spread))) for keyframe in self.store.keyframes(spread)]
        points_N3, colors_N3 = (np.concatenate(parts) for parts in zip(*clouds, strict=True))
        return points_N3[:max_points], colors_N3[:max_points]


def _cloud(keyframe: Keyframe, count: int) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
    depth_HW, image_HW3 = keyframe.depth_HW(), keyframe.image_HW3()
    v_N, u_N = np.nonzero(depth_HW)
    step = max(1, -(-len(v_N) // count))
    v_N, u_N = v_N[::step], u_N[::step]
    rays_N3 = keyframe.camera.unproject(np.stack([u_N, v_N], axis=1))
    return transform(keyframe.map_T_camera, rays_N3 * depth_HW[v_N, u_N, None]), image_HW3[v_N, u_N]


def _size_bytes(features: KeyframeFeatures) -> int:
    return sum(t.nbytes for t in (*features.image.levels, *features.depths))


def _no_features(store: MapStore) -> str:
    if not store.models():
        return f"the map {store.uri} holds no keyframes with features; build it again or add to it with --append"
    return f"the map {store.uri} was made by another model; recompute with: dsm map build --refresh {store.uri}"
