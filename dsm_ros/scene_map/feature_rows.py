"""Rows of the features table, one row per keyframe and model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from dsm_ros.geometry.pose import Pose44
from dsm_ros.network.features import ImageFeatures, KeyframeFeatures
from dsm_ros.scene_map.keyframe import camera_from_json, camera_to_json

FEATURES = pa.schema(
    [
        ("keyframe_id", pa.int64()),
        ("model_hash", pa.string()),
        ("descriptor", pa.list_(pa.float32())),
        ("camera", pa.string()),
        ("shapes", pa.list_(pa.list_(pa.int32()))),
        ("levels", pa.list_(pa.binary())),
        ("depths", pa.list_(pa.binary())),
    ]
)


def row_from_features(keyframe_id: int, features: KeyframeFeatures, model_hash: str) -> dict[str, Any]:
    """Return the row of a keyframe's features, with levels as fp16 bytes and depths as float32 bytes."""
    return {
        "keyframe_id": keyframe_id,
        "model_hash": model_hash,
        "descriptor": features.image.descriptor_D.cpu().numpy(),
        "camera": camera_to_json(features.image.camera),
        "shapes": [list(level.shape) for level in features.image.levels],
        "levels": [level.cpu().numpy().astype(np.float16).tobytes() for level in features.image.levels],
        "depths": [depth.cpu().numpy().astype(np.float32).tobytes() for depth in features.depths],
    }


def features_from_row(row: dict[str, Any], map_T_camera: Pose44) -> KeyframeFeatures:
    """Return the features in a table row. Raises ValueError when the size of a tensor does not match its shape."""
    shapes = [tuple(shape) for shape in row["shapes"]]
    levels = tuple(_tensor(data, np.float16, shape) for data, shape in zip(row["levels"], shapes, strict=True))
    depths = tuple(_tensor(data, np.float32, shape[1:]) for data, shape in zip(row["depths"], shapes, strict=True))
    descriptor_D = torch.tensor(row["descriptor"], dtype=torch.float32)
    return KeyframeFeatures(ImageFeatures(levels, descriptor_D, camera_from_json(row["camera"])), depths, map_T_camera)


def on_device(features: KeyframeFeatures, device: torch.device) -> KeyframeFeatures:
    """Return features with levels and depths on a device; the descriptor stays on the CPU, where retrieval runs.

    The levels are channels-last in memory, because matching gathers all channels of a cell.
    """
    by_cell = [level[None].to(device, memory_format=torch.channels_last)[0] for level in features.image.levels]
    depths = tuple(depth.to(device) for depth in features.depths)
    return replace(features, image=replace(features.image, levels=tuple(by_cell)), depths=depths)


def _tensor(data: bytes, dtype: type[np.generic], shape: tuple[int, ...]) -> Tensor:
    return torch.from_numpy(np.frombuffer(data, dtype).reshape(shape).copy())
