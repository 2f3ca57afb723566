"""From a sequence of posed RGB-D frames to a map, batch by batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dsm_ros.datasets.frame import Frame, Sequence
from dsm_ros.errors import MapError, SequenceError
from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44
from dsm_ros.network.features import KeyframeFeatures
from dsm_ros.scene_map.keyframe import Keyframe, compress
from dsm_ros.scene_map.store import MapStore, check_target, create_store, new_keyframe_id, open_store

BATCH = 16
DEPTH_RANGE_M = (0.05, 500.0)
Progress = Callable[[int, int], None]


class KeyframeEncoder(Protocol):
    """What the builder needs of the network."""

    @property
    def model_hash(self) -> str: ...

    def encode_keyframe(
        self, image_HW3: NDArray[np.uint8], depth_HW: NDArray[np.float32], camera: Camera, map_T_camera: Pose44
    ) -> KeyframeFeatures: ...


@dataclass(frozen=True)
class BuildReport:
    """What a build did: keyframes added, frames left out for want of depth or pose."""

    added: int
    skipped: int


def build_map(
    sequence: Sequence,
    indices: range,
    uri: str,
    encoder: KeyframeEncoder,
    session: str,
    append: bool,
    on_progress: Progress,
) -> BuildReport:
    """Add frames of a sequence to a map, a new one unless ``append``; committed every 16 keyframes.

    Frames without depth or pose are skipped. Raises MapError or SequenceError before anything is written when the
    map exists (or, to append, does not fit) or no frame can be used.
    """
    check_target(uri, append)
    store = open_store(uri) if append else None
    if store is not None:
        _check_model(store, encoder)
        complete_features(store, encoder, on_progress)
    added = skipped = 0
    for batch in _batches(sequence, indices, on_progress):
        usable = [frame for frame in batch if is_usable(frame)]
        skipped += len(batch) - len(usable)
        if usable:
            store = store or create_store(uri, sequence.name)
            _commit(store, usable, encoder, session)
            added += len(usable)
    if store is None or not added:
        raise SequenceError(f"{sequence.name}: none of {len(indices)} frames has depth and pose; a map needs RGB-D")
    return BuildReport(added, skipped)


def is_usable(frame: Frame) -> bool:
    """Return whether a frame has pose and depth; SequenceError when its depth cannot be metres."""
    if frame.depth_HW is None or frame.map_T_camera is None or not (frame.depth_HW > 0).any():
        return False
    median_m = float(np.median(frame.depth_HW[frame.depth_HW > 0]))
    if not DEPTH_RANGE_M[0] <= median_m <= DEPTH_RANGE_M[1]:
        raise SequenceError(f"frame {frame.name}: median depth is {median_m:.3g} m; is its depth in other units?")
    return True


def complete_features(store: MapStore, encoder: KeyframeEncoder, on_progress: Progress) -> int:
    """Compute the features that an interrupted build did not get to; return how many."""
    done = set(store.descriptors(encoder.model_hash)[0])
    missing = [i for i in store.index()["id"].to_pylist() if i not in done]
    for start in range(0, len(missing), BATCH):
        _encode(store, store.keyframes(missing[start : start + BATCH]), encoder)
        on_progress(min(start + BATCH, len(missing)), len(missing))
    return len(missing)


def refresh_features(uri: str, encoder: KeyframeEncoder, on_progress: Progress) -> int:
    """Compute all features of a map again from its keyframes, for this model; return how many."""
    store = open_store(uri)
    store.delete_features(encoder.model_hash)
    count = complete_features(store, encoder, on_progress)
    store.compact()
    return count


def _check_model(store: MapStore, encoder: KeyframeEncoder) -> None:
    models = store.models()
    if models and encoder.model_hash not in models:
        raise MapError(f"{store.uri} was made by another model; recompute with: dsm map build --refresh {store.uri}")


def _batches(sequence: Sequence, indices: range, on_progress: Progress) -> Iterator[list[Frame]]:
    for start in range(0, len(indices), BATCH):
        batch = []
        for position, index in enumerate(indices[start : start + BATCH], start):
            batch.append(sequence[index])
            on_progress(position, len(indices))
        yield batch
    on_progress(len(indices), len(indices))


def _commit(store: MapStore, frames: list[Frame], encoder: KeyframeEncoder, session: str) -> None:
    keyframes = [compress(frame, new_keyframe_id(), session) for frame in frames]
    store.add(keyframes)
    _encode(store, keyframes, encoder)


def _encode(store: MapStore, keyframes: list[Keyframe], encoder: KeyframeEncoder) -> None:
    features = [encoder.encode_keyframe(k.image_HW3(), k.depth_HW(), k.camera, k.map_T_camera) for k in keyframes]
    store.add_features([k.id for k in keyframes], features, encoder.model_hash)
