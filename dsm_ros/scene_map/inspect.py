"""What a map holds, and whether it is sound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from dsm_ros.errors import MapError
from dsm_ros.geometry.pose import invert, transform
from dsm_ros.scene_map.keyframe import Keyframe
from dsm_ros.scene_map.store import MapStore, damage_reported, open_store

BATCH = 16
MAX_DISAGREEMENT_M = 0.1
MIN_SHARED_PIXELS = 500
SAMPLE_STEP_PX = 4


def describe(uri: str) -> dict[str, object]:
    """Return the figures of a map. Raises MapError when it cannot be opened."""
    store = open_store(uri)
    index = store.index().to_pydict()
    positions_N3 = np.array(index["map_T_camera"]).reshape(-1, 4, 4)[:, :3, 3]
    extent = np.ptp(positions_N3, axis=0) if len(positions_N3) else np.zeros(3)
    size = sum(path.stat().st_size for path in Path(uri).rglob("*") if path.is_file()) if "://" not in uri else None
    return {
        "keyframes": len(positions_N3),
        "sessions": sorted(set(index["session"])),
        "features": store.models(),
        "extent_m": [round(float(value), 3) for value in extent],
        "size_bytes": size,
        "bytes_per_keyframe": size // max(1, len(positions_N3)) if size is not None else None,
        **store.meta,
    }


def find_problems(uri: str, on_progress: Callable[[int, int], None]) -> list[str]:
    """Read everything in a map and return one line per problem; none means sound."""
    store = open_store(uri)
    with damage_reported(uri):
        ids = store.index()["id"].to_pylist()
        problems = [] if ids else ["the map holds no keyframes"]
        problems += _feature_problems(store, ids)
        previous: Keyframe | None = None
        for start in range(0, len(ids), BATCH):
            for keyframe in store.keyframes(ids[start : start + BATCH]):
                problems += _keyframe_problems(keyframe, previous)
                previous = keyframe
            on_progress(min(start + BATCH, len(ids)), len(ids))
    return problems


def _feature_problems(store: MapStore, ids: Sequence[int]) -> list[str]:
    problems = []
    for model in store.models():
        present, descriptors_ND = store.descriptors(model)
        missing = len(set(ids) - set(present))
        if missing:
            problems.append(f"{missing} keyframes have no features of model {model[:8]}; add to the map to complete it")
        if not torch.isfinite(descriptors_ND).all():
            problems.append(f"descriptors of model {model[:8]} are not finite")
        for start in range(0, len(present), BATCH):
            batch = present[start : start + BATCH]
            for i, features in zip(batch, store.features(batch, model), strict=False):
                if not all(torch.isfinite(tensor).all() for tensor in (*features.image.levels, *features.depths)):
                    problems.append(f"keyframe {i}: features of model {model[:8]} are not finite")
    return problems


def _keyframe_problems(keyframe: Keyframe, previous: Keyframe | None) -> list[str]:
    try:
        keyframe.image_HW3()
        depth_HW = keyframe.depth_HW()
        previous_HW = previous.depth_HW() if previous else None
    except MapError as error:
        return [str(error)]
    rotation_33 = keyframe.map_T_camera[:3, :3]
    if not np.allclose(rotation_33 @ rotation_33.T, np.eye(3), atol=1e-4) or np.linalg.det(rotation_33) < 0:
        return [f"keyframe {keyframe.id}: its pose is not rigid"]
    if previous is None or previous_HW is None or previous.session != keyframe.session:
        return []
    disagreement_m = depth_disagreement_m(previous, previous_HW, keyframe, depth_HW)
    if disagreement_m is not None and disagreement_m > MAX_DISAGREEMENT_M:
        return [f"keyframes {previous.id} and {keyframe.id}: depths disagree by {disagreement_m:.2f} m at the median"]
    return []


def depth_disagreement_m(
    one: Keyframe, one_HW: NDArray[np.float32], other: Keyframe, other_HW: NDArray[np.float32]
) -> float | None:
    """Return the median difference between a keyframe's depth seen from another and the other's; None if apart."""
    v_N, u_N = np.nonzero(one_HW)
    v_N, u_N = v_N[:: SAMPLE_STEP_PX**2], u_N[:: SAMPLE_STEP_PX**2]
    points_N3 = one.camera.unproject(np.stack([u_N, v_N], axis=1)) * one_HW[v_N, u_N, None]
    seen_N3 = transform(invert(other.map_T_camera) @ one.map_T_camera, points_N3)
    u_N, v_N = np.rint(np.nan_to_num(other.camera.project(seen_N3), nan=-1)).astype(int).T
    inside_N = (u_N >= 0) & (u_N < other.camera.width_px) & (v_N >= 0) & (v_N < other.camera.height_px)
    there_N, expected_N = other_HW[v_N[inside_N], u_N[inside_N]], seen_N3[inside_N, 2]
    shared_N = there_N > 0
    if shared_N.sum() < MIN_SHARED_PIXELS:
        return None
    return float(np.median(np.abs(there_N[shared_N] - expected_N[shared_N])))
