"""Building of a map from a sequence of RGB-D frames with poses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dsm_ros.datasets.frame import Frame, FrameSequence
from dsm_ros.errors import ImageError, MapError, SequenceError
from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44
from dsm_ros.network.features import KeyframeFeatures
from dsm_ros.scene_map.consistency import Consistency
from dsm_ros.scene_map.frame_checks import rejection_reasons
from dsm_ros.scene_map.keyframe import Keyframe, compress
from dsm_ros.scene_map.keyframe_spacing import no_usable_frame
from dsm_ros.scene_map.location import check_target, require_writable
from dsm_ros.scene_map.map_agreement import MapAgreement
from dsm_ros.scene_map.overlap import frame_view
from dsm_ros.scene_map.rollback import rollback_on_failure
from dsm_ros.scene_map.store import MapStore, create_store, new_keyframe_id, open_store
from dsm_ros.scene_map.stuck_sensor import StuckSensor, stuck_sensor_problem

BATCH = 16
MIN_COMPARED_PAIRS, MAX_PENDING = 12, 64  # the first keyframes are written when either number is reached
UNREADABLE = "its image cannot be read"
Progress = Callable[[int, int], None]


class KeyframeEncoder(Protocol):
    """The part of the network that the builder needs."""

    @property
    def model_hash(self) -> str:
        """The checksum that identifies the weights."""
        ...

    def encode_keyframe(
        self, image_HW3: NDArray[np.uint8], depth_HW: NDArray[np.float32], camera: Camera, map_T_camera: Pose44
    ) -> KeyframeFeatures:
        """Return the features of an image (uint8 RGB), its depth (m, 0 = unknown), camera and pose."""
        ...


@dataclass(frozen=True)
class BuildReport:
    """Result of building a map.

    added: number of keyframes. left_out: number of frames for each reason. contradiction: how the keyframes contradict
    each other, None when they do not.
    """

    added: int
    left_out: dict[str, int]
    contradiction: str | None = None


def build_map(
    sequence: FrameSequence,
    indices: Sequence[int],
    uri: str,
    encoder: KeyframeEncoder,
    session: str,
    append: bool,
    on_progress: Progress,
) -> BuildReport:
    """Add frames of a sequence to a new map, or with ``append`` to an existing map; commit after every 16 keyframes.

    Frames without depth or pose, frames of a stuck sensor, and frames whose image cannot be read are left out and
    counted. Before any keyframe is written, the first keyframes are checked for contradictions. When a build fails or
    is interrupted, all of its keyframes are removed; when its process is killed, the committed keyframes stay.

    Raises MapError when the map exists (or, with ``append``, is damaged or was built with another model) or cannot be
    written. Raises SequenceError when no frame can be used, or when the first keyframes contradict each other or the
    map.
    """
    check_target(uri, append)
    store = open_store(uri) if append else None
    if store is not None:
        _check_model(store, encoder)
        complete_features(store, encoder, on_progress)
    with rollback_on_failure(uri, store) as written:
        build = _Build(sequence.name, uri, encoder, session, store, MapAgreement(store) if store else None, written)
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
    """State of a map build in progress."""

    name: str
    uri: str
    encoder: KeyframeEncoder
    session: str
    store: MapStore | None
    map_agreement: MapAgreement | None
    written: list[int]  # ids of the written keyframes
    left_out: Counter[str] = field(default_factory=Counter)
    pending: list[Keyframe] = field(default_factory=list)
    consistency: Consistency = field(default_factory=Consistency)
    sensor: StuckSensor = field(default_factory=StuckSensor)
    first_error: ImageError | None = None
    is_checked: bool = False

    def add(self, frame: Frame) -> None:
        """Add a frame, and write the pending keyframes when a batch is full."""
        if reasons := rejection_reasons(frame) or self.sensor.stale_parts(frame):
            self.left_out.update(reasons)
            return
        self.pending.append(compress(frame, new_keyframe_id(), self.session))
        self._compare(frame)
        has_enough_pairs = self.consistency.pairs >= MIN_COMPARED_PAIRS or len(self.pending) >= MAX_PENDING
        if (self.is_checked or has_enough_pairs) and len(self.pending) >= BATCH:
            self._commit()

    def leave_out(self, error: ImageError) -> None:
        """Count an image that cannot be read."""
        self.left_out[UNREADABLE] += 1
        self.first_error = self.first_error or error

    def finish(self, count: int) -> BuildReport:
        """Write the remaining keyframes. Raises SequenceError when too few of ``count`` frames could be used."""
        if problem := stuck_sensor_problem(self.left_out, len(self.written) + len(self.pending)):
            raise SequenceError(f"{self.name}: {problem}")
        if self.pending:
            self._commit()
        if not self.written:
            raise self.first_error or SequenceError(no_usable_frame(self.name, count, self.left_out))
        return BuildReport(len(self.written), dict(self.left_out), self.consistency.contradiction())

    def _compare(self, frame: Frame) -> None:
        view = frame_view(frame)
        self.consistency.add(view, self.session)
        if self.map_agreement:
            self.map_agreement.add(view)

    def _commit(self) -> None:
        if not self.is_checked and (contradiction := self.consistency.contradiction()):
            raise SequenceError(f"{self.name}: {contradiction}")
        if self.map_agreement and (disagreement := self.map_agreement.disagreement()):
            raise SequenceError(f"{self.name}: {disagreement}")
        self.is_checked = True
        self.store = self.store or create_store(self.uri, self.name)
        for start in range(0, len(self.pending), BATCH):
            batch = self.pending[start : start + BATCH]
            self.written += [keyframe.id for keyframe in batch]
            self.store.add(batch)
            _encode(self.store, batch, self.encoder)
        self.pending = []


def complete_features(store: MapStore, encoder: KeyframeEncoder, on_progress: Progress) -> int:
    """Compute the features missing after a killed build; return the number of keyframes computed."""
    done = set(store.descriptors(encoder.model_hash)[0])
    missing = [i for i in store.index()["id"].to_pylist() if i not in done]
    for start in range(0, len(missing), BATCH):
        _encode(store, store.keyframes(missing[start : start + BATCH]), encoder)
        on_progress(min(start + BATCH, len(missing)), len(missing))
    return len(missing)


def refresh_features(uri: str, encoder: KeyframeEncoder, on_progress: Progress) -> int:
    """Recompute all features of a map for a model; return the number of keyframes."""
    store = open_store(uri)
    require_writable(uri)
    store.delete_features(encoder.model_hash)
    count = complete_features(store, encoder, on_progress)
    store.compact()
    return count


def _check_model(store: MapStore, encoder: KeyframeEncoder) -> None:
    models = store.models()
    if models and encoder.model_hash not in models:
        advice = f"recompute its features with: dsm map build --refresh {store.uri}"
        raise MapError(f"{store.uri} was built with another model; {advice}")


def _encode(store: MapStore, keyframes: list[Keyframe], encoder: KeyframeEncoder) -> None:
    features = [encoder.encode_keyframe(k.image_HW3(), k.depth_HW(), k.camera, k.map_T_camera) for k in keyframes]
    store.add_features([k.id for k in keyframes], features, encoder.model_hash)
