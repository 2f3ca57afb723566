"""Statistics of a map."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from dsm_ros.scene_map.location import is_folder
from dsm_ros.scene_map.store import open_store


def map_statistics(uri: str) -> dict[str, object]:
    """Return the number, extent (m) and size of a map's keyframes, and the map's metadata, as JSON values.

    Raises MapError when the map cannot be read.
    """
    store = open_store(uri)
    index, models = store.index().to_pydict(), store.models()
    positions_N3 = np.array(index["map_T_camera"]).reshape(-1, 4, 4)[:, :3, 3]
    extent = np.ptp(positions_N3, axis=0) if len(positions_N3) else np.zeros(3)
    size = sum(path.stat().st_size for path in Path(uri).rglob("*") if path.is_file()) if is_folder(uri) else None
    return {
        "keyframes": len(positions_N3),
        "sessions": sorted(set(index["session"])),
        "features": models,
        "extent_m": [round(float(value), 3) for value in extent],
        "size_bytes": size,
        "bytes_per_keyframe": size // max(1, len(positions_N3)) if size is not None else None,
        **store.meta,
    }
