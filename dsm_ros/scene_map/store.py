"""Storage of a map on disk or in a bucket, as a LanceDB dataset of three tables.

Every write is one LanceDB transaction, so a process killed at any moment leaves the last committed version.
Keyframes are written before their features, because features can always be computed from keyframes.
"""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timezone
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from dsm_ros.errors import MapError
from dsm_ros.geometry.pose import Pose44
from dsm_ros.network.features import KeyframeFeatures
from dsm_ros.scene_map.feature_rows import FEATURES, features_from_row, row_from_features
from dsm_ros.scene_map.keyed_rows import KeyedRows, read_columns
from dsm_ros.scene_map.keyframe import Keyframe, camera_from_json, camera_to_json
from dsm_ros.scene_map.location import check_target, connect, map_exists, require_finished
from dsm_ros.scene_map.storage_errors import translate_read_errors, translate_write_errors

FORMAT_VERSION = 1

KEYFRAMES = pa.schema(
    [
        ("id", pa.int64()),
        ("session", pa.string()),
        ("stamp_ns", pa.int64()),
        ("map_T_camera", pa.list_(pa.float64(), 16)),
        ("camera", pa.string()),
        ("image_jpeg", pa.binary()),
        ("depth_png", pa.binary()),
    ]
)
META = pa.schema([("key", pa.string()), ("value", pa.string())])


def new_keyframe_id() -> int:
    """Return a new id of 62 random bits; ids of several builders that append at once do not collide."""
    return secrets.randbits(62)


def create_store(uri: str, sensor: str) -> MapStore:
    """Create an empty map; its meta table is written last and marks the map as complete.

    Raises MapError when the location is not empty or not writable.
    """
    check_target(uri, append=False)
    created = datetime.now(timezone.utc).isoformat(timespec="seconds")
    meta = {"format_version": FORMAT_VERSION, "created": created, "sensor": sensor, "frame": "map", "gravity": None}
    rows = [{"key": key, "value": json.dumps(value)} for key, value in meta.items()]
    with translate_write_errors(uri):
        database = connect(uri)
        database.create_table("keyframes", schema=KEYFRAMES, exist_ok=True)
        database.create_table("features", schema=FEATURES, exist_ok=True)
        database.create_table("meta", rows, schema=META)
    return open_store(uri)


def open_store(uri: str) -> MapStore:
    """Open a map. Raises MapError when the map is missing, damaged or of a newer format."""
    if not map_exists(uri):
        require_finished(uri)
        raise MapError(f"there is no map at {uri}; build a map with: dsm map build SEQUENCE {uri}")
    with translate_read_errors(uri):
        store = MapStore(uri)
        version = int(store.meta["format_version"])
    if version > FORMAT_VERSION:
        raise MapError(f"{uri} has the newer map format {version}; update dsm_ros")
    return store


class MapStore:
    """The three tables of one map."""

    def __init__(self, uri: str):
        self.uri = uri
        database = connect(uri)
        self._keyframes = database.open_table("keyframes")
        self._features = database.open_table("features")
        self._keyframe_rows = KeyedRows(self._keyframes, "id")
        self._feature_rows: dict[str, KeyedRows] = {}  # rows of features by model hash
        rows = database.open_table("meta").to_arrow().to_pylist()
        self.meta: dict[str, Any] = {row["key"]: json.loads(row["value"]) for row in rows}

    def add(self, keyframes: Sequence[Keyframe]) -> None:
        """Append keyframes in one transaction."""
        rows = [
            {
                "id": k.id,
                "session": k.session,
                "stamp_ns": k.stamp_ns,
                "map_T_camera": k.map_T_camera.ravel().tolist(),
                "camera": camera_to_json(k.camera),
                "image_jpeg": k.image_jpeg,
                "depth_png": k.depth_png,
            }
            for k in keyframes
        ]
        table = pa.Table.from_pylist(rows, schema=KEYFRAMES)
        with translate_write_errors(self.uri):
            self._keyframes.add(table)

    def add_features(self, ids: Sequence[int], features: Sequence[KeyframeFeatures], model_hash: str) -> None:
        """Append the features of keyframes in one transaction; tensors are stored as fp16, depths as float32."""
        rows = [row_from_features(i, f, model_hash) for i, f in zip(ids, features, strict=True)]
        table = pa.Table.from_pylist(rows, schema=FEATURES)
        with translate_write_errors(self.uri):
            self._features.add(table)

    def remove(self, ids: Sequence[int]) -> None:
        """Delete keyframes and their features."""
        listed = ", ".join(map(str, ids))
        with translate_write_errors(self.uri):
            self._features.delete(f"keyframe_id IN ({listed})")
            self._keyframes.delete(f"id IN ({listed})")

    def delete_features(self, model_hash: str) -> None:
        """Delete all features of one model."""
        with translate_write_errors(self.uri):
            self._features.delete(_of_model(model_hash))

    def index(self) -> pa.Table:
        """Return all keyframes without their images, ordered by stamp."""
        with translate_read_errors(self.uri):
            table = read_columns(self._keyframes, ["id", "session", "stamp_ns", "map_T_camera", "camera"])
            return table.sort_by([("stamp_ns", "ascending"), ("id", "ascending")])

    def keyframes(self, ids: Sequence[int]) -> list[Keyframe]:
        """Return keyframes with their images, in the order of ``ids``; missing keyframes are left out."""
        with translate_read_errors(self.uri):
            rows = self._keyframe_rows.read(ids)
            return [_keyframe(rows[i]) for i in ids if i in rows]

    def models(self) -> dict[str, int]:
        """Return the number of keyframes with features of each model, by model hash."""
        with translate_read_errors(self.uri):
            table = read_columns(self._features, ["model_hash", "keyframe_id"])
        pairs = set(zip(table["model_hash"].to_pylist(), table["keyframe_id"].to_pylist(), strict=True))
        return dict(sorted(Counter(model for model, _ in pairs).items()))

    def descriptors(self, model_hash: str) -> tuple[list[int], Tensor]:
        """Return the keyframe ids and descriptors (N, D) of one model."""
        with translate_read_errors(self.uri):
            table = read_columns(self._features, ["keyframe_id", "descriptor"], _of_model(model_hash))
            # Two builders may both compute the features of one keyframe. Their rows are equal, so the first row is
            # used.
            ids, first = np.unique(table["keyframe_id"].to_numpy(), return_index=True)
            values = table["descriptor"].take(first).combine_chunks().flatten().to_numpy(zero_copy_only=False)
            return ids.tolist(), torch.tensor(values.reshape(len(ids), values.size // max(1, len(ids))))

    def features(self, ids: Sequence[int], model_hash: str) -> list[KeyframeFeatures]:
        """Return the fp16 features of keyframes in the order of ``ids``; keyframes without features are left out."""
        with translate_read_errors(self.uri):
            rows = self._rows_of_model(model_hash).read(ids)
            poses = self._keyframe_rows.read(rows, ["map_T_camera"])
            return [features_from_row(rows[i], _pose(poses[i])) for i in ids if i in rows]

    def read_addresses(self, model_hash: str) -> None:
        """Read the row addresses of a model's features, which makes the first ``features`` call faster."""
        self.features([], model_hash)

    def _rows_of_model(self, model_hash: str) -> KeyedRows:
        rows = KeyedRows(self._features, "keyframe_id", _of_model(model_hash))
        return self._feature_rows.setdefault(model_hash, rows)

    def compact(self) -> None:
        """Merge the small fragments that many appends create."""
        with translate_write_errors(self.uri):
            for table in (self._keyframes, self._features):
                table.optimize()


def _of_model(model_hash: str) -> str:
    return f"model_hash = '{model_hash}'"


def _pose(row: dict[str, Any]) -> Pose44:
    return np.array(row["map_T_camera"], dtype=np.float64).reshape(4, 4)


def _keyframe(row: dict[str, Any]) -> Keyframe:
    camera = camera_from_json(row["camera"])
    return Keyframe(row["id"], row["session"], row["stamp_ns"], _pose(row), camera, row["image_jpeg"], row["depth_png"])
