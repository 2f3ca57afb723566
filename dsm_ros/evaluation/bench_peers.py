"""Comparison of dsm_ros with other methods, called peers, with the same images, retrieved keyframes and PnP."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from dsm_ros.datasets.frame import Frame, FrameSequence
from dsm_ros.errors import SequenceError
from dsm_ros.evaluation.metrics import gross_errors, median_pose_errors, recall
from dsm_ros.evaluation.peers.learnt import AlikedLightGlue, XFeat
from dsm_ros.evaluation.peers.peer import KeypointMethod, KeypointPeer, Peer, PeerUnavailable
from dsm_ros.evaluation.peers.sift import Sift
from dsm_ros.geometry.pose import Pose44, pose_error
from dsm_ros.localization.localizer import Localizer
from dsm_ros.localization.result import Localized
from dsm_ros.localization.view import single_view
from dsm_ros.scene_map.scene_map import SceneMap

METHODS: dict[str, Callable[[torch.device], KeypointMethod]] = {
    "sift": lambda device: Sift(),
    "xfeat": XFeat,
    "aliked+lightglue": AlikedLightGlue,
}
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Retrieved:
    """The keyframes most similar to an image, and the time to encode the image and to search the map, ms."""

    ids: list[int]
    ms: float


@dataclass(frozen=True)
class Answer:
    """The pose that a method found for one image, or None, and the time that the method took, ms.

    retrieval_ms: the time of a retrieval that ``ms`` does not include, 0 if ``ms`` includes the retrieval.
    """

    map_T_camera: Pose44 | None
    ms: float
    retrieval_ms: float = 0.0


@dataclass(frozen=True)
class MethodRow:
    """The metrics of one method.

    ms_median: time without the retrieval by dsm_ros. whole_ms_median: time with the retrieval. ratio, whole_ratio: both
    times relative to the time of dsm_ros. localized_*: the same for the images that dsm_ros localizes, because dsm_ros
    searches several times before it rejects an image. reason: why the method could not run, otherwise empty.
    """

    method: str
    frames: int = 0
    ms_median: float | None = None
    ratio: float | None = None
    whole_ms_median: float | None = None
    whole_ratio: float | None = None
    localized_ms_median: float | None = None
    localized_ratio: float | None = None
    localized_whole_ms_median: float | None = None
    localized_whole_ratio: float | None = None
    n_localized: int = 0
    median_translation_m: float | None = None
    median_rotation_deg: float | None = None
    recall_5cm_5deg: float | None = None
    wrong_over_50cm: int = 0
    reason: str = ""


def compare(
    localizer: Localizer, sequence: FrameSequence, indices: range, peers: Sequence[str], on_progress: Progress
) -> list[MethodRow]:
    """Return a row for a localizer, a row for the localizer without the previous frame, and a row for each peer.

    peers: names of methods in ``METHODS``. The methods localize each frame in turn, so that other load on the machine
    slows all methods alike. The features of keyframes are in memory before the time is measured. The compared methods
    match the N keyframes that the localizer retrieves, and their rows contain the times without and with retrieval. The
    row of a peer that cannot run contains the reason. Raises SequenceError when a frame has no true pose.
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
        similar = retrieve(localizer, frame)
        found = [localize(localizer, frame), localize(alone, frame)]
        found += [each.localize(frame, similar) for each in contestants]
        on_progress(count, len(indices))
        if count == 0:  # the first frame is localized twice, because its first run includes one-time set-up
            localizer.reset()
            continue
        truths.append(true_pose(frame))
        for of_method, answer in zip(answers.values(), found, strict=True):
            of_method.append(answer)
    reasons = {each.name: each.reason for each in contestants if each.reason}
    localized_N = np.array([answer.map_T_camera is not None for answer in answers[name]])
    rows = [
        MethodRow(method, reason=reasons[method])
        if method in reasons
        else score(method, truths, of_method, localized_N)
        for method, of_method in answers.items()
    ]
    return [_with_ratios(row, rows[0]) for row in rows]


def _with_ratios(row: MethodRow, reference: MethodRow) -> MethodRow:
    return replace(
        row,
        ratio=_ratio(row.ms_median, reference.ms_median),
        whole_ratio=_ratio(row.whole_ms_median, reference.ms_median),
        localized_ratio=_ratio(row.localized_ms_median, reference.localized_ms_median),
        localized_whole_ratio=_ratio(row.localized_whole_ms_median, reference.localized_ms_median),
    )


def _ratio(ms: float | None, reference_ms: float | None) -> float | None:
    return ms / reference_ms if ms and reference_ms else None


def true_pose(frame: Frame) -> Pose44:
    """Return the true pose of a frame. Raises SequenceError when the frame has no true pose."""
    if frame.map_T_camera is None:
        raise SequenceError(f"frame {frame.name} has no true pose; compare on a sequence with ground truth")
    return frame.map_T_camera


def retrieve(localizer: Localizer, frame: Frame) -> Retrieved:
    """Return the N keyframes most similar to a frame."""
    start_s = time.perf_counter()
    query = localizer.network.encode(frame.image_HW3, frame.camera)
    ids = localizer.scene_map.retrieve(query.descriptor_D, localizer.config.keyframes)
    return Retrieved(ids, (time.perf_counter() - start_s) * 1e3)


def localize(localizer: Localizer, frame: Frame) -> Answer:
    """Return the answer of a localizer for a frame."""
    start_s = time.perf_counter()
    result = localizer.localize(single_view(frame.image_HW3, frame.camera), frame.stamp_ns)
    pose = result.map_T_camera if isinstance(result, Localized) else None
    return Answer(pose, (time.perf_counter() - start_s) * 1e3)


def make_peer(name: str, localizer: Localizer) -> Peer:
    """Return a peer with the device and the relative inlier limit of a localizer.

    Raises any exception of the peer's code.
    """
    max_error = localizer.config.max_error_px / localizer.network.config.long_side_px
    return KeypointPeer(METHODS[name](localizer.network.device), max_error)


class Contestant:
    """A peer in the comparison, which is excluded with the reason when it fails; ``make`` makes the peer."""

    def __init__(self, name: str, scene_map: SceneMap, make: Callable[[], Peer]):
        self.name, self.reason = name, ""
        self._scene_map = scene_map
        self._prepared: set[int] = set()
        self._peer: Peer | None = None
        with self._excluded_on_failure():
            self._peer = make()

    def localize(self, frame: Frame, similar: Retrieved) -> Answer:
        """Localize a frame with the compared method; the time excludes the features of the retrieved keyframes."""
        answer = Answer(None, 0.0)
        with self._excluded_on_failure():
            if self._peer:
                for keyframe_id in [i for i in similar.ids if i not in self._prepared]:
                    self._peer.prepare(self._scene_map.keyframe(keyframe_id))
                    self._prepared.add(keyframe_id)
                start_s = time.perf_counter()
                pose = self._peer.localize(frame.image_HW3, frame.camera, similar.ids)
                answer = Answer(pose, (time.perf_counter() - start_s) * 1e3, similar.ms)
        return answer

    @contextmanager
    def _excluded_on_failure(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # after any error of a peer, the results of the other methods remain valid
            self._peer = None
            self.reason = str(error) if isinstance(error, PeerUnavailable) else f"failed with {error!r:.200}"


def score(
    method: str, truths: Sequence[Pose44], answers: Sequence[Answer], localized_N: NDArray[np.bool_]
) -> MethodRow:
    """Return the metrics of one method from its poses for frames with true poses.

    localized_N: the frames that dsm_ros localizes.
    """
    poses = [answer.map_T_camera for answer in answers]
    pairs = zip(poses, truths, strict=True)
    errors_N2 = np.array([(np.inf, np.inf) if pose is None else pose_error(pose, truth) for pose, truth in pairs])
    translation_m, rotation_deg = median_pose_errors(errors_N2)
    ms_N = np.array([answer.ms for answer in answers])
    whole_ms_N = ms_N + [answer.retrieval_ms for answer in answers]
    return MethodRow(
        method,
        frames=len(truths),
        ms_median=float(np.median(ms_N)),
        whole_ms_median=float(np.median(whole_ms_N)),
        localized_ms_median=float(np.median(ms_N[localized_N])) if localized_N.any() else None,
        localized_whole_ms_median=float(np.median(whole_ms_N[localized_N])) if localized_N.any() else None,
        n_localized=sum(pose is not None for pose in poses),
        median_translation_m=translation_m,
        median_rotation_deg=rotation_deg,
        recall_5cm_5deg=recall(errors_N2, 0.05, 5.0),
        wrong_over_50cm=gross_errors(errors_N2),
    )
