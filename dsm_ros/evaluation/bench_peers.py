"""Ours beside the peers: the same images, the same retrieved keyframes, the same PnP."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np
import torch

from dsm_ros.datasets.frame import Frame
from dsm_ros.datasets.frame import Sequence as FrameSequence
from dsm_ros.errors import SequenceError
from dsm_ros.evaluation.peers.learnt import AlikedLightGlue, XFeat
from dsm_ros.evaluation.peers.peer import KeypointMethod, KeypointPeer, Peer, PeerUnavailable
from dsm_ros.evaluation.peers.sift import Sift
from dsm_ros.geometry.pose import Pose44, pose_error
from dsm_ros.localization.localizer import Localizer
from dsm_ros.localization.result import Localized
from dsm_ros.localization.view import single_view
from dsm_ros.scene_map.scene_map import SceneMap

WRONG_M, NEAR_M, NEAR_DEG = 0.5, 0.05, 5.0
METHODS: dict[str, Callable[[torch.device], KeypointMethod]] = {
    "sift": lambda device: Sift(),
    "xfeat": XFeat,
    "aliked+lightglue": AlikedLightGlue,
}
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Retrieved:
    """The keyframes that look most alike, and the time it took to find them: to encode the image and to search."""

    ids: list[int]
    ms: float


@dataclass(frozen=True)
class Answer:
    """What a method made of one image: a pose or none, and the time; retrieval_ms: to be added where ms is without."""

    map_T_camera: Pose44 | None
    ms: float
    retrieval_ms: float = 0.0


@dataclass(frozen=True)
class MethodRow:
    """The figures of one method; ratios: its median time by ours, without and with the time of the retrieval it needs.

    Without figures, why there are none.
    """

    method: str
    n: int = 0
    ms_median: float | None = None
    ratio: float | None = None
    whole_ms_median: float | None = None
    whole_ratio: float | None = None
    n_localized: int = 0
    median_translation_m: float | None = None
    median_rotation_deg: float | None = None
    recall_5cm_5deg: float | None = None
    wrong_over_50cm: int = 0
    reason: str = ""


def compare(
    localizer: Localizer, sequence: FrameSequence, indices: range, peers: Sequence[str], on_progress: Progress
) -> list[MethodRow]:
    """Return a row for ours, one for ours without the previous frame, and one for each peer (of ``METHODS``).

    Each frame goes to one method after the other, so that whatever else the machine does slows all alike. Features of
    keyframes are in memory before the clock starts. Peers get the N keyframes that ours retrieves; their rows have the
    time without that, and with it, for they need one too. A peer that cannot run is a row with the reason. Raises
    SequenceError without true poses.
    """
    cv2.setNumThreads(torch.get_num_threads())
    localizer.scene_map.preload(len(localizer.scene_map.ids))
    name = localizer.network.name
    alone = Localizer(localizer.scene_map, localizer.network, replace(localizer.config, temporal=False))
    contestants = [Contestant(peer, localizer.scene_map, partial(make_peer, peer, localizer)) for peer in peers]
    truths: list[Pose44] = []
    answers: dict[str, list[Answer]] = {name: [], f"{name}, single frames": [], **{peer: [] for peer in peers}}
    for count, index in enumerate([indices[0], *indices]):
        frame = sequence[index]
        alike = retrieve(localizer, frame)
        found = [localize(localizer, frame), localize(alone, frame)]
        found += [each.localize(frame, alike) for each in contestants]
        on_progress(count, len(indices))
        if count == 0:  # the first frame is there twice: what is set up once is not timed
            localizer.reset()
            continue
        truths.append(true_pose(frame))
        for of_method, answer in zip(answers.values(), found, strict=True):
            of_method.append(answer)
    reasons = {each.name: each.reason for each in contestants if each.reason}
    rows = [
        MethodRow(method, reason=reasons[method]) if method in reasons else score(method, truths, of_method)
        for method, of_method in answers.items()
    ]
    return [_with_ratios(row, rows[0].ms_median) for row in rows]


def _with_ratios(row: MethodRow, ours_ms: float | None) -> MethodRow:
    if not (ours_ms and row.ms_median and row.whole_ms_median):
        return row
    return replace(row, ratio=row.ms_median / ours_ms, whole_ratio=row.whole_ms_median / ours_ms)


def true_pose(frame: Frame) -> Pose44:
    """Return a frame's true pose. Raises SequenceError without one."""
    if frame.map_T_camera is None:
        raise SequenceError(f"frame {frame.name} has no true pose; compare on a sequence with ground truth")
    return frame.map_T_camera


def retrieve(localizer: Localizer, frame: Frame) -> Retrieved:
    """Return the N keyframes that look most alike."""
    start_s = time.perf_counter()
    query = localizer.network.encode(frame.image_HW3, frame.camera)
    ids = localizer.scene_map.retrieve(query.descriptor_D, localizer.config.keyframes)
    return Retrieved(ids, (time.perf_counter() - start_s) * 1e3)


def localize(localizer: Localizer, frame: Frame) -> Answer:
    """Return the answer of ours."""
    start_s = time.perf_counter()
    result = localizer.localize(single_view(frame.image_HW3, frame.camera), frame.stamp_ns)
    pose = result.map_T_camera if isinstance(result, Localized) else None
    return Answer(pose, (time.perf_counter() - start_s) * 1e3)


def make_peer(name: str, localizer: Localizer) -> Peer:
    """Return a peer with the device and the inlier limit of ours. Raises whatever the peer's program raises."""
    max_error = localizer.config.max_error_px / localizer.network.config.long_side_px
    return KeypointPeer(METHODS[name](localizer.network.device), max_error)


class Contestant:
    """A peer that is out once it fails, with the reason; ``make`` makes it."""

    def __init__(self, name: str, scene_map: SceneMap, make: Callable[[], Peer]):
        self.name, self.reason = name, ""
        self._scene_map = scene_map
        self._prepared: set[int] = set()
        self._peer: Peer | None = None
        with self._out_if_it_fails():
            self._peer = make()

    def localize(self, frame: Frame, alike: Retrieved) -> Answer:
        """Return the peer's answer with the keyframes that ours retrieved; their features are not timed."""
        answer = Answer(None, 0.0)
        with self._out_if_it_fails():
            if self._peer:
                for keyframe_id in [i for i in alike.ids if i not in self._prepared]:
                    self._peer.prepare(self._scene_map.keyframe(keyframe_id))
                    self._prepared.add(keyframe_id)
                start_s = time.perf_counter()
                pose = self._peer.localize(frame.image_HW3, frame.camera, alike.ids)
                answer = Answer(pose, (time.perf_counter() - start_s) * 1e3, alike.ms)
        return answer

    @contextmanager
    def _out_if_it_fails(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # of somebody else's program: whatever it is, the others' figures stand
            self._peer = None
            self.reason = str(error) if isinstance(error, PeerUnavailable) else f"it failed: {error!r:.200}"


def score(method: str, truths: Sequence[Pose44], answers: Sequence[Answer]) -> MethodRow:
    """Return the figures of one method's answers to frames with true poses."""
    pairs = zip(truths, answers, strict=True)
    errors = [pose_error(answer.map_T_camera, truth) for truth, answer in pairs if answer.map_T_camera is not None]
    errors_L2 = np.array(errors).reshape(-1, 2)
    near_L = (errors_L2[:, 0] < NEAR_M) & (errors_L2[:, 1] < NEAR_DEG)
    translation_m, rotation_deg = np.median(errors_L2, axis=0).tolist() if errors else (None, None)
    return MethodRow(
        method,
        n=len(truths),
        ms_median=float(np.median([answer.ms for answer in answers])),
        whole_ms_median=float(np.median([answer.ms + answer.retrieval_ms for answer in answers])),
        n_localized=len(errors),
        median_translation_m=translation_m,
        median_rotation_deg=rotation_deg,
        recall_5cm_5deg=float(near_L.sum() / len(truths)),
        wrong_over_50cm=int((errors_L2[:, 0] > WRONG_M).sum()),
    )
