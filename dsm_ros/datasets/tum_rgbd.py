"""TUM RGB-D: rgb.txt, depth.txt and groundtruth.txt, associated by time stamp."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from pathlib import Path

import numpy as np

from dsm_ros.datasets.camera_info import read_camera_info
from dsm_ros.datasets.frame import Frame
from dsm_ros.datasets.image_io import read_depth, read_rgb
from dsm_ros.datasets.trajectory import StampedPoses, nearest_stamp
from dsm_ros.errors import SequenceError
from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import pose_from_quaternion

CAMERAS = {
    "1": Camera(640, 480, 517.3, 516.5, 318.6, 255.3, "plumb_bob", (0.2624, -0.9531, -0.0054, 0.0026, 1.1633)),
    "2": Camera(640, 480, 520.9, 521.0, 325.1, 249.7, "plumb_bob", (0.2312, -0.7849, -0.0033, -0.0001, 0.9172)),
    "3": Camera(640, 480, 535.4, 539.2, 320.1, 247.6),
}
UNITS_PER_M = 5000.0
MAX_DEPTH_GAP_NS = 20_000_000


class TumSequence:
    """Frames of one TUM RGB-D folder; depth is registered to colour in these recordings."""

    def __init__(self, folder: Path):
        self.name = folder.name
        self._folder = folder
        self._camera = read_camera_info(folder) or _known_camera(folder)
        self._images = _read_list(folder / "rgb.txt", 2)
        self._depths = _read_list(folder / "depth.txt", 2) if (folder / "depth.txt").is_file() else []
        self._depth_stamps_ns = np.array([stamp for stamp, _ in self._depths], dtype=np.int64)
        truth = folder / "groundtruth.txt"
        self._poses = _read_poses(truth) if truth.is_file() else None

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> Frame:
        stamp_ns, (file_name, *_) = self._images[index]
        nearest = nearest_stamp(self._depth_stamps_ns, stamp_ns, MAX_DEPTH_GAP_NS)
        depth_HW = read_depth(self._folder / self._depths[nearest][1][0], UNITS_PER_M) if nearest is not None else None
        map_T_camera = self._poses.at(stamp_ns) if self._poses else None
        image_HW3 = read_rgb(self._folder / file_name)
        return Frame(Path(file_name).stem, stamp_ns, image_HW3, self._camera, depth_HW, map_T_camera)


def _known_camera(folder: Path) -> Camera:
    match = re.search(r"(?:freiburg|fr)([123])", folder.resolve().name)
    if not match:
        raise SequenceError(f"{folder}: unknown camera; add a camera_info.yaml or name the folder like fr1_...")
    return CAMERAS[match[1]]


def _read_list(path: Path, columns: int) -> list[tuple[int, list[str]]]:
    lines = [line.split() for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
    try:
        rows = [(int(Decimal(line[0]) * 1_000_000_000), line[1:]) for line in lines]
        if not rows or any(len(line) < columns for line in lines):
            raise ValueError("no rows, or rows that are too short")
    except (InvalidOperation, ValueError) as error:
        raise SequenceError(f"{path} is no list of stamps and values") from error
    return sorted(rows)


def _read_poses(path: Path) -> StampedPoses:
    rows = _read_list(path, 8)
    try:
        numbers = np.array([[float(value) for value in values[:7]] for _, values in rows])
        poses = [pose_from_quaternion(row[:3], row[3:]) for row in numbers]
    except ValueError as error:
        raise SequenceError(f"{path} is no trajectory ({error})") from error
    return StampedPoses(np.array([stamp for stamp, _ in rows], dtype=np.int64), poses)
