"""From a sequence of posed RGB-D frames to a map, batch by batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dsm_ros.datasets import frame as datasets
from dsm_ros.datasets.frame import Frame
from dsm_ros.errors import MapError, SequenceError
from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44
from dsm_ros.network.features import KeyframeFeatures
from dsm_ros.scene_map.consistency import Consistency
from dsm_ros.scene_map.keyframe import MAX_DEPTH_M, Keyframe, compress, pose_fault
from dsm_ros.scene_map.keyframe_spacing import nothing_usable
from dsm_ros.scene_map.overlap import make_view
from dsm_ros.scene_map.store import (
    MapStore,
    check_target,
    create_store,
    new_keyframe_id,
    open_store,
    require_writable,
)
from dsm_ros.scene_map.undo import undone_on_failure

BATCH = 16
JUDGED_PAIRS, MAX_HELD = 12, 64  # the first keyframes are held back until so many pairs are compared, or so many held
DEPTH_RANGE_M = (0.05, 100.0)
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
    """What a build did: keyframes added, frames left out per reason, and how the keyframes contradict each other."""

    added: int
    left_out: dict[str, int]
    contradiction: str | None = None


def build_map(
    sequence: datasets.Sequence,
    indices: Sequence[int],
    uri: str,
    encoder: KeyframeEncoder,
    session: str,
    append: bool,
    on_progress: Progress,
) -> BuildReport:
    """Add frames of a sequence to a map, a new one unless ``append``; committed every 16 keyframes.

    Frames without depth or pose are left out and counted. The first keyframes are compared before any is written.
    Raises MapError when the map exists (or, to append, does not fit) or cannot be written, SequenceError when no frame
    can be used or the first keyframes contradict each other. Whatever ends a build, an interruption included, what it
    wrote is removed; a process that is killed leaves what it had committed.
    """
    check_target(uri, append)
    store = open_store(uri) if append else None
    if store is not None:
        _check_model(store, encoder)
        complete_features(store, encoder, on_progress)
    with undone_on_failure(uri, store) as written:
        build = _Build(sequence.name, uri, encoder, session, store, written)
        for position, index in enumerate(indices):
            build.add(sequence[index])
            on_progress(position + 1, len(indices))
        return build.finish(len(indices))


@dataclass
class _Build:
    """A build under way."""

    name: str
    uri: str
    encoder: KeyframeEncoder
    session: str
    store: MapStore | None
    written: list[int]  # ids
    left_out: Counter[str] = field(default_factory=Counter)
    held: list[Keyframe] = field(default_factory=list)
    consistency: Consistency = field(default_factory=Consistency)
    is_judged: bool = False

    def add(self, frame: Frame) -> None:
        """Take a frame, and write a batch when it is full."""
        if lacks := lacks_of(frame):
            self.left_out.update(lacks)
            return
        keyframe = compress(frame, new_keyframe_id(), self.session)
        assert frame.depth_HW is not None
        self.consistency.add(
            make_view(frame.image_HW3, frame.depth_HW, frame.camera, keyframe.map_T_camera), self.session
        )
        self.held.append(keyframe)
        can_judge = self.is_judged or self.consistency.pairs >= JUDGED_PAIRS or len(self.held) >= MAX_HELD
        if can_judge and len(self.held) >= BATCH:
            self._commit()

    def finish(self, count: int) -> BuildReport:
        """Write the rest. Raises SequenceError when none of ``count`` frames could be used."""
        if self.held:
            self._commit()
        if not self.written:
            raise SequenceError(nothing_usable(self.name, count, self.left_out))
        return BuildReport(len(self.written), dict(self.left_out), self.consistency.contradiction())

    def _commit(self) -> None:
        if not self.is_judged and (contradiction := self.consistency.contradiction()):
            raise SequenceError(f"{self.name}: {contradiction}")
        self.is_judged = True
        self.store = self.store or create_store(self.uri, self.name)
        for start in range(0, len(self.held), BATCH):
            batch = self.held[start : start + BATCH]
            self.written += [keyframe.id for keyframe in batch]
            self.store.add(batch)
            _encode(self.store, batch, self.encoder)
        self.held = []


def lacks_of(frame: Frame) -> tuple[str, ...]:
    """Return why a frame cannot be a keyframe; SequenceError when its depth cannot be metres."""
    if frame.depth_HW is None or frame.map_T_camera is None:
        named = [] if frame.depth_HW is not None else ["no depth"]
        return frame.lacks or (*named, *([] if frame.map_T_camera is not None else ["no pose"]))
    if fault := pose_fault(frame.map_T_camera):
        return (fault,)
    depth_N = frame.depth_HW[np.isfinite(frame.depth_HW) & (frame.depth_HW > 0)]
    if not depth_N.size:
        return ("its depth holds no known pixel",)
    median_m = float(np.median(depth_N))
    if not DEPTH_RANGE_M[0] <= median_m <= DEPTH_RANGE_M[1]:
        raise SequenceError(f"frame {frame.name}: median depth is {median_m:.3g} m; is its depth in other units?")
    return () if depth_N.min() < MAX_DEPTH_M else (f"all of its depth is beyond {MAX_DEPTH_M:g} m",)


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
    require_writable(uri)
    store.delete_features(encoder.model_hash)
    count = complete_features(store, encoder, on_progress)
    store.compact()
    return count


def _check_model(store: MapStore, encoder: KeyframeEncoder) -> None:
    models = store.models()
    if models and encoder.model_hash not in models:
        raise MapError(f"{store.uri} was made by another model; recompute with: dsm map build --refresh {store.uri}")


def _encode(store: MapStore, keyframes: list[Keyframe], encoder: KeyframeEncoder) -> None:
    features = [encoder.encode_keyframe(k.image_HW3(), k.depth_HW(), k.camera, k.map_T_camera) for k in keyframes]
    store.add_features([k.id for k in keyframes], features, encoder.model_hash)
