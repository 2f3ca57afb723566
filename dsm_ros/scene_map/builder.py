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
from dsm_ros.errors import ImageError, MapError, SequenceError
from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44
from dsm_ros.network.features import KeyframeFeatures
from dsm_ros.scene_map.consistency import Consistency
from dsm_ros.scene_map.frame_lacks import lacks_of
from dsm_ros.scene_map.keyframe import Keyframe, compress
from dsm_ros.scene_map.keyframe_spacing import nothing_usable
from dsm_ros.scene_map.map_fit import MapFit
from dsm_ros.scene_map.overlap import make_view
from dsm_ros.scene_map.place import check_target, require_writable
from dsm_ros.scene_map.store import MapStore, create_store, new_keyframe_id, open_store
from dsm_ros.scene_map.stuck_sensor import StuckSensor, stopped
from dsm_ros.scene_map.undo import undone_on_failure

BATCH = 16
JUDGED_PAIRS, MAX_HELD = 12, 64  # the first keyframes are held back until so many pairs are compared, or so many held
UNREADABLE = "its image cannot be read"
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

    Frames without depth or pose, of a stuck sensor, or whose image cannot be read are left out and counted. The first
    keyframes are compared before any is written. Raises MapError when the map exists (or, to append, is damaged or of
    another model) or cannot be written, SequenceError when no frame can be used, or the first keyframes contradict each
    other or the map. Whatever ends a build, an interruption included, what it wrote is removed; a process that is
    killed leaves what it had committed.
    """
    check_target(uri, append)
    store = open_store(uri) if append else None
    if store is not None:
        _check_model(store, encoder)
        complete_features(store, encoder, on_progress)
    with undone_on_failure(uri, store) as written:
        build = _Build(sequence.name, uri, encoder, session, store, MapFit(store) if store else None, written)
        for position, index in enumerate(indices):
            try:
                frame = sequence[index]
            except ImageError as error:
                build.leave_out(error)
            else:
                build.add(frame)
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
    map_fit: MapFit | None
    written: list[int]  # ids
    left_out: Counter[str] = field(default_factory=Counter)
    held: list[Keyframe] = field(default_factory=list)
    consistency: Consistency = field(default_factory=Consistency)
    sensor: StuckSensor = field(default_factory=StuckSensor)
    first_error: ImageError | None = None
    is_judged: bool = False

    def add(self, frame: Frame) -> None:
        """Take a frame, and write a batch when it is full."""
        if lacks := lacks_of(frame) or self.sensor.lacks(frame):
            self.left_out.update(lacks)
            return
        self.held.append(compress(frame, new_keyframe_id(), self.session))
        self._compare(frame)
        can_judge = self.is_judged or self.consistency.pairs >= JUDGED_PAIRS or len(self.held) >= MAX_HELD
        if can_judge and len(self.held) >= BATCH:
            self._commit()

    def leave_out(self, error: ImageError) -> None:
        """Count an image that cannot be read."""
        self.left_out[UNREADABLE] += 1
        self.first_error = self.first_error or error

    def finish(self, count: int) -> BuildReport:
        """Write the rest. Raises SequenceError when none of ``count`` frames, or next to none, could be used."""
        if fault := stopped(self.left_out, len(self.written) + len(self.held)):
            raise SequenceError(f"{self.name}: {fault}")
        if self.held:
            self._commit()
        if not self.written:
            raise self.first_error or SequenceError(nothing_usable(self.name, count, self.left_out))
        return BuildReport(len(self.written), dict(self.left_out), self.consistency.contradiction())

    def _compare(self, frame: Frame) -> None:
        assert frame.depth_HW is not None
        assert frame.map_T_camera is not None
        view = make_view(frame.image_HW3, frame.depth_HW, frame.camera, frame.map_T_camera)
        self.consistency.add(view, self.session)
        if self.map_fit:
            self.map_fit.add(view)

    def _commit(self) -> None:
        if not self.is_judged and (contradiction := self.consistency.contradiction()):
            raise SequenceError(f"{self.name}: {contradiction}")
        if self.map_fit and (misfit := self.map_fit.misfit()):
            raise SequenceError(f"{self.name}: {misfit}")
        self.is_judged = True
        self.store = self.store or create_store(self.uri, self.name)
        for start in range(0, len(self.held), BATCH):
            batch = self.held[start : start + BATCH]
            self.written += [keyframe.id for keyframe in batch]
            self.store.add(batch)
            _encode(self.store, batch, self.encoder)
        self.held = []


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
