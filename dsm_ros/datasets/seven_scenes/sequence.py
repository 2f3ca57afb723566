"""Reader of 7-Scenes folders: files frame-NNNNNN.{color.png|jpg, depth.png, pose.txt}."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dsm_ros.datasets.camera_info import FILE_NAME
from dsm_ros.datasets.depth_registration import register_depth
from dsm_ros.datasets.description import Description, RecordingPart
from dsm_ros.datasets.frame import FRAME_PERIOD_NS, Frame, FrameHeader, first_readable
from dsm_ros.datasets.image_io import read_depth, read_rgb
from dsm_ros.datasets.image_size import Calibration, read_calibration, resize_depth
from dsm_ros.datasets.seven_scenes.frame_files import find_frames
from dsm_ros.datasets.seven_scenes.pose_file import read_pose
from dsm_ros.datasets.source_options import DEFAULT_SOURCES, SourceOptions
from dsm_ros.errors import SequenceError
from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44, invert, make_pose

DEPTH_CAMERA = Camera(640, 480, 585.0, 585.0, 320.0, 240.0)
COLOUR_CAMERA = Camera(640, 480, 525.0, 525.0, 323.0, 237.0)
COLOUR_T_DEPTH = make_pose(np.eye(3), [-0.025, 0.0, 0.0])
UNITS_PER_M = 1000.0
OTHER_INTRINSICS = ("camera-intrinsics.txt", "camera_intrinsics.txt", "intrinsics.txt", "info.txt", "_info.txt")


class SevenScenesSequence:
    """Frames of one 7-Scenes folder, with depth and pose of the colour camera.

    The recordings of 7-Scenes have unregistered depth, and their poses belong to the depth camera, so depth and pose
    are transformed to the colour camera. In a folder with a camera_info.yaml, colour, depth and poses belong to the
    camera in camera_info.yaml.
    """

    def __init__(self, folder: Path, options: SourceOptions = DEFAULT_SOURCES):
        self.name = folder.resolve().name
        self._folder = folder
        self._frames = find_frames(folder)
        if not self._frames:
            raise SequenceError(f"{folder} contains no frame-*.color.png or .jpg; give the folder of one sequence")
        self._shared = read_calibration(folder, options.camera_info)
        if self._shared is None:
            _refuse_other_data_sets(folder)
        self._calibration = self._shared or Calibration(COLOUR_CAMERA, "the camera of 7-Scenes")

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, index: int) -> Frame:
        query, header = self.query(index), self.header(index)
        depth, missing = None, header.missing
        if path := self._frames[index].parts.get("depth"):
            try:
                depth = self._depth(path, query.camera)
            except ValueError as error:
                missing = (*missing, f"no depth: {error}")
        return replace(query, depth_HW=depth, map_T_camera=header.map_T_camera, missing=missing)

    def header(self, index: int) -> FrameHeader:
        """Return name, stamp and pose of a frame; the depth file is not opened.

        Raises SequenceError for an invalid pose file.
        """
        files = self._frames[index]
        pose = self._pose(files.parts.get("pose"))
        missing = () if "depth" in files.parts else ("no depth: its depth image is missing",)
        if isinstance(pose, str):
            return FrameHeader(files.name, files.number * FRAME_PERIOD_NS, None, (*missing, f"no pose: {pose}"))
        return FrameHeader(files.name, files.number * FRAME_PERIOD_NS, pose, missing)

    def query(self, index: int) -> Frame:
        """Return image, camera and stamp of a frame. Raises SequenceError for an image that cannot be read."""
        files = self._frames[index]
        image_HW3 = read_rgb(files.parts["colour"])
        camera = self._camera_of(files.parts["colour"], image_HW3)
        return Frame(files.name, files.number * FRAME_PERIOD_NS, image_HW3, camera)

    def describe(self) -> Description:
        """Return the sources of the recording's parts; the image size is read from the first image."""
        camera = first_readable(self).camera
        image = RecordingPart("image", "frame-*.color.*", f"{len(self)} images of {camera.width_px}x{camera.height_px}")
        depth = "in the image's camera" if self._shared else "registered from the depth camera of 7-Scenes"
        parts = (
            image,
            self._calibration.part(camera),
            self._part("depth", "frame-*.depth.png", f"1/1000 m, {depth}"),
            self._part("pose", "frame-*.pose.txt", "camera to world"),
        )
        return Description(parts, self._calibration.warnings(camera))

    def _camera_of(self, path: Path, image_HW3: NDArray[np.uint8]) -> Camera:
        """Return the camera of an image file. Raises SequenceError when the image does not fit the camera."""
        if self._shared:
            return self._shared.camera_of(path, image_HW3)
        height_px, width_px = image_HW3.shape[:2]
        if (width_px, height_px) != (COLOUR_CAMERA.width_px, COLOUR_CAMERA.height_px):
            raise SequenceError(
                f"{path} has {width_px}x{height_px} pixels, but 7-Scenes has 640x480; use the original files, or add"
                f" a {FILE_NAME} for these images if depth is registered to them"
            )
        return COLOUR_CAMERA

    def _part(self, key: str, pattern: str, detail: str) -> RecordingPart:
        what, count = {"pose": "poses"}.get(key, key), sum(key in files.parts for files in self._frames)
        return (
            RecordingPart(what, pattern, f"{count} files, {detail}")
            if count
            else RecordingPart(what, "", f"no file {pattern} exists")
        )

    def _pose(self, path: Path | None) -> Pose44 | str:
        """Return the pose of the colour camera, or why it is missing."""
        if path is None:
            return "its pose file is missing"
        pose = read_pose(path)
        if pose is None:
            return "tracking was lost (NaN, infinity, zeros or an empty file)"
        return pose if self._shared else pose @ invert(COLOUR_T_DEPTH)

    def _depth(self, path: Path, camera: Camera) -> NDArray[np.float32]:
        """Return the depth (H, W; m) registered to an image. Raises ValueError for unusable depth."""
        depth_HW = read_depth(path, UNITS_PER_M)
        if self._shared:
            return resize_depth(depth_HW, camera.width_px, camera.height_px)
        height, width = depth_HW.shape
        if (width, height) != (DEPTH_CAMERA.width_px, DEPTH_CAMERA.height_px):
            raise ValueError(f"its depth image has {width}x{height} pixels instead of 640x480")
        return register_depth(depth_HW, DEPTH_CAMERA, camera, COLOUR_T_DEPTH)


def _refuse_other_data_sets(folder: Path) -> None:
    """Raise SequenceError for another data set with the file names of 7-Scenes, recognised by its camera file."""
    places = (folder, folder.absolute().parent)
    others = [place / name for place in places for name in OTHER_INTRINSICS if (place / name).is_file()]
    if others:
        raise SequenceError(
            f"{folder} is another data set than 7-Scenes, because it has {others[0]};"
            f" write the intrinsics in {others[0]} to {FILE_NAME} in this folder"
        )
