"""A map opened for localization: poses and descriptors are in memory, features are read on first use."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dsm_ros.errors import MapError
from dsm_ros.geometry.pose import Pose44, transform
from dsm_ros.network.features import KeyframeFeatures
from dsm_ros.scene_map.byte_cache import ByteCache
from dsm_ros.scene_map.feature_rows import on_device
from dsm_ros.scene_map.keyframe import Keyframe
from dsm_ros.scene_map.keyframe_index import KeyframeIndex
from dsm_ros.scene_map.keyframe_patches import KeyframePatches, keyframe_patches
from dsm_ros.scene_map.storage_errors import translate_read_errors
from dsm_ros.scene_map.store import MapStore, open_store

FEATURE_BYTES = 520_000  # upper limit for one keyframe of the lite preset, on disk and in memory
CACHE_BYTES = 4000 * FEATURE_BYTES
PATCHES_BYTES = 256_000_000  # patches of about 600 keyframes
READ_AT_ONCE = 16
DISPLAY_KEYFRAMES = 40


class SceneMap:
    """Read-only view of the keyframes that have features of one model; several threads may use it at once.

    device: device of the cached features. Features take up to ``CACHE_BYTES`` and patches up to ``PATCHES_BYTES``; the
    least recently used are dropped first.
    index: replaces the index of the store, to search other keyframes.
    """

    def __init__(self, store: MapStore, model_hash: str, device: str = "cpu", index: KeyframeIndex | None = None):
        self._store, self._model_hash, self._device = store, model_hash, torch.device(device)
        self._index = index or _read_index(store, model_hash)
        store.read_addresses(model_hash)
        self._features = ByteCache[KeyframeFeatures](_size_bytes, CACHE_BYTES)
        self._patches = ByteCache[KeyframePatches](lambda patches: patches.nbytes, PATCHES_BYTES)

    @classmethod
    def open(cls, uri: str, model_hash: str, device: str = "cpu") -> SceneMap:
        """Open a map for a model. Raises MapError for a missing or unreadable map, or without features of the model."""
        store = open_store(uri)
        with translate_read_errors(uri):
            return cls(store, model_hash, device)

    @property
    def store(self) -> MapStore:
        """The stored tables of the map."""
        return self._store

    @property
    def model_hash(self) -> str:
        """The checksum of the model whose features are used."""
        return self._model_hash

    @property
    def device(self) -> torch.device:
        """The device of the cached features."""
        return self._device

    @property
    def frame_name(self) -> str:
        """The name of the map's coordinate frame."""
        return str(self._store.meta["frame"])

    @property
    def ids(self) -> list[int]:
        """The ids of all keyframes."""
        return self._index.ids

    @property
    def poses_N44(self) -> NDArray[np.float64]:
        """The poses of all keyframes, map_T_camera (N, 4, 4)."""
        return self._index.poses_N44

    def retrieve(self, descriptor_D: Tensor, count: int) -> list[int]:
        """Return the ids of up to ``count`` keyframes with the most similar descriptors, best first [paper 3.1]."""
        return self._index.retrieve(descriptor_D, count)

    def nearest(self, map_T_camera: Pose44, count: int) -> list[int]:
        """Return the ids of up to ``count`` keyframes whose position and viewing direction are nearest to a pose."""
        return self._index.nearest(map_T_camera, count)

    def features(self, ids: Sequence[int]) -> list[KeyframeFeatures]:
        """Return the features of keyframes in the order of ``ids``, cached after the first use.

        Raises MapError when the map was deleted or damaged after it was opened.
        """
        return self._features.get(ids, self._read_features)

    def patches(self, ids: Sequence[int]) -> list[KeyframePatches]:
        """Return the image patches of keyframes in the order of ``ids``, cached after the first use.

        Raises MapError when the map was deleted or damaged after it was opened.
        """
        return self._patches.get(ids, self._read_patches)

    def _read_features(self, ids: Sequence[int]) -> list[KeyframeFeatures]:
        with translate_read_errors(self.store.uri):
            read = list(zip(ids, self.store.features(ids, self.model_hash), strict=True))
        return [on_device(features, self.device) for _, features in read]

    def _read_patches(self, ids: Sequence[int]) -> list[KeyframePatches]:
        return [keyframe_patches(keyframe) for keyframe in self.keyframes(ids)]

    def preload(self, count: int) -> None:
        """Read the features of up to ``count`` keyframes into the cache, so that the first images need not wait."""
        self._read_ahead(self.features, count)

    def preload_patches(self, count: int) -> None:
        """Cut the patches of up to ``count`` keyframes into the cache, so that the first images need not wait."""
        self._read_ahead(self.patches, count)

    def _read_ahead(self, read: Callable[[Sequence[int]], object], count: int) -> None:
        ids = self.ids[:count]
        for start in range(0, len(ids), READ_AT_ONCE):
            read(ids[start : start + READ_AT_ONCE])

    def release_features(self) -> None:
        """Free the memory of features and patches; both are read again on demand."""
        self._features.clear()
        self._patches.clear()

    def keyframe(self, keyframe_id: int) -> Keyframe:
        """Return a keyframe with its image and depth. Raises MapError when the keyframe is not in the map."""
        return self.keyframes([keyframe_id])[0]

    def keyframes(self, ids: Sequence[int]) -> list[Keyframe]:
        """Return keyframes in the order of ``ids``. Raises MapError when a keyframe is not in the map."""
        found = self.store.keyframes(ids)
        if missing := set(ids) - {keyframe.id for keyframe in found}:
            raise MapError(f"the map {self.store.uri} has no keyframe {min(missing)}; open the map again")
        return found

    def points(self, max_points: int) -> tuple[NDArray[np.float64], NDArray[np.uint8]]:
        """Return up to ``max_points`` map points (N, 3) in m for display, and their RGB colours (N, 3)."""
        spread = self.ids[:: max(1, len(self.ids) // DISPLAY_KEYFRAMES)]
        clouds = [_cloud(keyframe, max(1, max_points // len(spread))) for keyframe in self.store.keyframes(spread)]
        points_N3, colors_N3 = (np.concatenate(parts) for parts in zip(*clouds, strict=True))
        return points_N3[:max_points], colors_N3[:max_points]


def _read_index(store: MapStore, model_hash: str) -> KeyframeIndex:
    """Return the index of the keyframes with features of a model. Raises MapError without such keyframes."""
    table = store.index()
    known_K = table["id"].to_numpy()
    poses_K44 = table["map_T_camera"].combine_chunks().flatten().to_numpy().reshape(-1, 4, 4)
    ids, descriptors_ND = store.descriptors(model_hash)
    shared_N, at_known_N, at_described_N = np.intersect1d(known_K, ids, return_indices=True)
    if not len(shared_N):
        raise MapError(_no_features(store))
    return KeyframeIndex(shared_N.tolist(), poses_K44[at_known_N], descriptors_ND[torch.from_numpy(at_described_N)])


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
        return f"the map {store.uri} has no features; compute the features with: dsm map build --refresh {store.uri}"
    advice = f"recompute its features with: dsm map build --refresh {store.uri}"
    return f"the map {store.uri} was built with another model; {advice}"
