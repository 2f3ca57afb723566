"""Compare the poses of two TUM files: print the largest and median difference, and count poses in only one file.

python scripts/compare_poses.py A.tum B.tum FIGURES.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

from dsm_ros.geometry.pose import Pose44, pose_error, pose_from_quaternion


def compare(a: dict[str, Pose44], b: dict[str, Pose44]) -> dict[str, float | int | None]:
    """Return the differences between two trajectories, given by stamp; differences are None without a common stamp."""
    apart = np.array([pose_error(a[stamp], b[stamp]) for stamp in a.keys() & b.keys()]).reshape(-1, 2)
    figures: dict[str, float | int | None] = {
        "both": len(apart),
        "only_first": len(a.keys() - b.keys()),
        "only_second": len(b.keys() - a.keys()),
    }
    for name, values in (("translation_m", apart[:, 0]), ("rotation_deg", apart[:, 1])):
        figures[f"max_{name}"] = float(values.max()) if len(values) else None
        figures[f"median_{name}"] = float(np.median(values)) if len(values) else None
    return figures


def read_tum(path: Path) -> dict[str, Pose44]:
    """Return the poses (map_T_camera) of a TUM file by their stamps, which are kept as text."""
    rows = [line.split() for line in path.read_text().splitlines() if line and not line.startswith("#")]
    return {stamp: pose_from_quaternion(_floats(rest[:3]), _floats(rest[3:])) for stamp, *rest in rows}


def _floats(words: list[str]) -> list[float]:
    return [float(word) for word in words]


if __name__ == "__main__":
    first, second, target = map(Path, sys.argv[1:4])
    target.write_text(json.dumps(compare(read_tum(first), read_tum(second))))
