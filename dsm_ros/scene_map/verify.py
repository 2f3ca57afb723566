"""Verification of a map by reading every row and comparing neighbouring keyframes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from dsm_ros.errors import MapError
from dsm_ros.scene_map.consistency import Consistency
from dsm_ros.scene_map.keyframe import Keyframe, pose_fault
from dsm_ros.scene_map.overlap import keyframe_view, overlap, relative_pose
from dsm_ros.scene_map.storage_errors import translate_read_errors
from dsm_ros.scene_map.store import MapStore, open_store

BATCH = 16
NEAREST = 2  # number of nearest keyframes searched for shared pixels, besides the neighbours in time
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Findings:
    """Problems of a map, and remarks that may be harmless; one line each."""

    problems: tuple[str, ...]
    remarks: tuple[str, ...] = ()


def find_problems(uri: str, on_progress: Progress) -> Findings:
    """Read a whole map and return its problems and remarks. Raises MapError when the map cannot be read."""
    store = open_store(uri)
    with translate_read_errors(uri):
        index = store.index()
        ids = index["id"].to_pylist()
        if not ids:
            return Findings(("the map has no keyframes; build the map again",))
        faults = _pose_faults(ids, np.array(index["map_T_camera"].to_pylist()).reshape(-1, 4, 4))
        comparison = _Comparison(store, set(faults))
        for start in range(0, len(ids), BATCH):
            for keyframe in store.keyframes(ids[start : start + BATCH]):
                comparison.add(keyframe)
            on_progress(min(start + BATCH, len(ids)), len(ids))
        problems = [*_feature_problems(store, ids), *faults.values(), *comparison.problems()]
        return Findings(tuple(problems), tuple(comparison.remarks()))


def _pose_faults(ids: Sequence[int], poses_N44: NDArray[np.float64]) -> dict[int, str]:
    faults = ((i, pose_fault(pose_44)) for i, pose_44 in zip(ids, poses_N44, strict=True))
    return {i: f"keyframe {i}: {fault}; build the map again" for i, fault in faults if fault}


def _feature_problems(store: MapStore, ids: Sequence[int]) -> list[str]:
    models = store.models()
    if not models:
        return [f"{len(ids)} keyframes have no features; {_refresh_advice(store)}"]
    return [problem for model in models for problem in _problems_of_model(store, model, ids)]


def _problems_of_model(store: MapStore, model: str, ids: Sequence[int]) -> Iterator[str]:
    present, descriptors_ND = store.descriptors(model)
    missing = len(set(ids) - set(present))
    if missing:
        yield f"{missing} keyframes have no features of model {model[:8]}; {_refresh_advice(store)}"
    if not torch.isfinite(descriptors_ND).all():
        yield f"descriptors of model {model[:8]} are not finite; {_refresh_advice(store)}"
    for start in range(0, len(present), BATCH):
        batch = present[start : start + BATCH]
        for i, features in zip(batch, store.features(batch, model), strict=False):
            if not all(torch.isfinite(tensor).all() for tensor in (*features.image.levels, *features.depths)):
                yield f"keyframe {i}: features of model {model[:8]} are not finite; {_refresh_advice(store)}"


def _refresh_advice(store: MapStore) -> str:
    return f"compute the features with: dsm map build --refresh {store.uri}"


class _Comparison:
    """Comparison of keyframes with their neighbours in time; keyframes with invalid poses are skipped."""

    def __init__(self, store: MapStore, without_pose: set[int]):
        self._store, self._without_pose = store, without_pose
        self._consistency = Consistency()
        self._damage: list[str] = []
        self._poses: dict[int, NDArray[np.float64]] = {}
        self._last: dict[str, int] = {}
        self._met: set[int] = set()  # keyframes that share pixels with a neighbour

    def add(self, keyframe: Keyframe) -> None:
        """Check a keyframe's image and depth, and compare the keyframe with the previous keyframe."""
        try:
            view = keyframe_view(keyframe)
        except MapError as error:
            self._damage.append(str(error))
            return
        if keyframe.id in self._without_pose:
            return
        self._poses[keyframe.id] = keyframe.map_T_camera
        fit = self._consistency.add(view, keyframe.session)
        if fit and fit.meets:
            self._met |= {keyframe.id, self._last[keyframe.session]}
        self._last[keyframe.session] = keyframe.id

    def problems(self) -> list[str]:
        """Return the damaged keyframes and the contradiction among keyframes."""
        contradiction = self._consistency.contradiction()
        return [*self._damage, *([contradiction] if contradiction else [])]

    def remarks(self) -> list[str]:
        """Return a remark when keyframes share no pixels with neighbours in time or in space."""
        if len(self._poses) < 2:
            return []
        isolated = [i for i in self._poses if i not in self._met and not self._meets_nearest(i)]
        if not isolated:
            return []
        count = f"{len(isolated)} of {len(self._poses)} keyframes share no pixels with a neighbour"
        return [f"{count}, so their depth and poses could not be checked; take keyframes closer together with --every"]

    def _meets_nearest(self, keyframe_id: int) -> bool:
        here_44, ids = self._poses[keyframe_id], list(self._poses)
        poses_N44 = np.stack(list(self._poses.values()))
        away_N = np.linalg.norm(poses_N44[:, :3, 3] - here_44[:3, 3], axis=1)
        turned_N = np.arccos(np.clip(poses_N44[:, :3, 2] @ here_44[:3, 2], -1, 1))
        near = [ids[row] for row in np.argsort(away_N + turned_N)[: NEAREST + 1] if ids[row] != keyframe_id]
        view, *others = map(keyframe_view, self._store.keyframes([keyframe_id, *near]))
        return any(overlap(view, other, relative_pose(view, other)).meets for other in others)
