"""Reader of TUM RGB-D folders: rgb.txt, depth.txt and groundtruth.txt, associated by timestamp."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dsm_ros.datasets.description import Description, RecordingPart
from dsm_ros.datasets.frame import Frame, FrameHeader, first_readable
from dsm_ros.datasets.image_io import read_depth, read_rgb
from dsm_ros.datasets.image_size import Calibration, read_calibration, resize_depth
from dsm_ros.datasets.nearest_stamp import nearest_stamp
from dsm_ros.datasets.source_options import DEFAULT_SOURCES, SourceOptions
from dsm_ros.datasets.tum.ground_truth import GroundTruthPoses
from dsm_ros.datasets.tum.stamped_rows import StampedRows, locate, read_file_list
from dsm_ros.errors import SequenceError
from dsm_ros.geometry.camera import Camera

CAMERAS = {
    "1": Camera(640, 480, 517.3, 516.5, 318.6, 255.3, "plumb_bob", (0.2624, -0.9531, -0.0054, 0.0026, 1.1633)),
    "2": Camera(640, 480, 520.9, 521.0, 325.1, 249.7, "plumb_bob", (0.2312, -0.7849, -0.0033, -0.0001, 0.9172)),
    "3": Camera(640, 480, 535.4, 539.2, 320.1, 247.6),
}
UNITS_PER_M = 5000.0
MAX_DEPTH_GAP_NS = 20_000_000


class TumSequence:
    """Frames of one TUM RGB-D folder, whose depth is registered to colour."""

    def __init__(self, folder: Path, options: SourceOptions = DEFAULT_SOURCES):
        self.name = folder.resolve().name
        self._folder = folder
        self._calibration = read_calibration(folder, options.camera_info) or _known_calibration(folder)
        self._images = read_file_list(folder / "rgb.txt")
        if not self._images.values:
            raise SequenceError(f"{folder / 'rgb.txt'} has no rows; write one row per image: timestamp (s) and file")

    def __len__(self) -> int:
        return len(self._images.values)

    def __getitem__(self, index: int) -> Frame:
        query, header = self.query(index), self.header(index)
        depth_HW, missing = None, header.missing
        if isinstance(found := self._depth_file(header.stamp_ns), Path):
            try:
                depth_HW = read_depth(found, UNITS_PER_M)
                depth_HW = resize_depth(depth_HW, query.camera.width_px, query.camera.height_px)
            except ValueError as error:
                depth_HW, missing = None, (f"no depth: {error}", *missing)
        return replace(query, depth_HW=depth_HW, map_T_camera=header.map_T_camera, missing=missing)

    def header(self, index: int) -> FrameHeader:
        """Return name, stamp and pose of a frame; the depth file is not opened.

        Raises SequenceError when depth.txt or groundtruth.txt cannot be read.
        """
        stamp_ns = self._images.stamps_ns[index]
        depth = self._depth_file(stamp_ns)
        pose = self._truth.at(stamp_ns) if self._truth else "groundtruth.txt does not exist"
        missing = (f"no depth: {depth}",) if isinstance(depth, str) else ()
        name = Path(self._images.values[index]).stem
        if isinstance(pose, str):
            return FrameHeader(name, stamp_ns, None, (*missing, f"no pose: {pose}"))
        return FrameHeader(name, stamp_ns, pose, missing)

    def query(self, index: int) -> Frame:
        """Return image, camera and stamp of a frame. Raises SequenceError for an image that cannot be read."""
        path = locate(self._folder, self._images.values[index])
        image_HW3 = read_rgb(path)
        return Frame(path.stem, self._images.stamps_ns[index], image_HW3, self._calibration.camera_of(path, image_HW3))

    def describe(self) -> Description:
        """Return the sources of the recording's parts; the image size is read from the first image."""
        camera = first_readable(self).camera
        image = RecordingPart("image", "rgb.txt", f"{len(self)} images of {camera.width_px}x{camera.height_px}")
        parts = (image, self._calibration.part(camera), self._depth_part(), self._pose_part())
        return Description(parts, self._calibration.warnings(camera) + self._warnings())

    def _depth_part(self) -> RecordingPart:
        if self._depths is None:
            return RecordingPart("depth", "", "depth.txt does not exist")
        gap_ms = MAX_DEPTH_GAP_NS // 1_000_000
        detail = f"{len(self._depths.values)} images, 1/{UNITS_PER_M:g} m, in the image's camera, within {gap_ms} ms"
        return RecordingPart("depth", "depth.txt", detail)

    def _pose_part(self) -> RecordingPart:
        if self._truth is None:
            return RecordingPart("poses", "", "groundtruth.txt does not exist")
        return RecordingPart(
            "poses", self._truth.name, f"{self._truth.count} rows, camera to world, interpolated across 0.1 s"
        )

    def _warnings(self) -> tuple[str, ...]:
        warnings = self._images.warnings + (self._depths.warnings if self._depths else ())
        if self._truth is None:
            return warnings
        gap = self._truth.gap_to(self._images.stamps_ns[0], self._images.stamps_ns[-1])
        advice = "check that images and poses use the same clock"
        return warnings + self._truth.warnings + ((f"{gap}; {advice}",) if gap else ())

    @cached_property
    def _depths(self) -> StampedRows[str] | None:
        path = self._folder / "depth.txt"
        if not path.is_file():
            return None
        depths = read_file_list(path)
        self._check_unit(path.name, depths.unit, bool(depths.values))
        return depths

    @cached_property
    def _depth_stamps_ns(self) -> NDArray[np.int64]:
        return np.array(self._depths.stamps_ns if self._depths else [], dtype=np.int64)

    @cached_property
    def _truth(self) -> GroundTruthPoses | None:
        path = self._folder / "groundtruth.txt"
        if not path.is_file():
            return None
        truth = GroundTruthPoses(path)
        self._check_unit(path.name, truth.unit, bool(truth.count))
        return truth

    def _check_unit(self, name: str, unit: str, has_rows: bool) -> None:
        if has_rows and unit != self._images.unit:
            units = f"rgb.txt has timestamps in {self._images.unit} and {name} in {unit}"
            raise SequenceError(f"{self._folder}: {units}; write all timestamps in seconds")

    def _depth_file(self, stamp_ns: int) -> Path | str:
        """Return the depth image nearest to a stamp, or the reason why it is missing."""
        if self._depths is None:
            return "depth.txt does not exist"
        nearest = nearest_stamp(self._depth_stamps_ns, stamp_ns, MAX_DEPTH_GAP_NS)
        if nearest is None:
            return f"no depth image within {MAX_DEPTH_GAP_NS // 1_000_000} ms"
        path = locate(self._folder, self._depths.values[nearest])
        return path if path.is_file() else "its depth image is missing"


def _known_calibration(folder: Path) -> Calibration:
    name = folder.resolve().name
    match = re.search(r"(?<![a-z0-9])(?:freiburg|fr)([123])(?![0-9])", name, re.IGNORECASE)
    if not match:
        raise SequenceError(f"{folder}: unknown camera; add a camera_info.yaml, or rename the folder to fr1_...")
    return Calibration(CAMERAS[match[1]], f"the camera of TUM freiburg{match[1]}")
