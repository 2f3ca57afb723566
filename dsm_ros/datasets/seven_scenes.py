"""7-Scenes: frame-NNNNNN.{color.png|jpg, depth.png, pose.txt} in one folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dsm_ros.datasets.camera_info import FILE_NAME, write_camera_info
from dsm_ros.datasets.depth_registration import register_depth
from dsm_ros.datasets.description import Description, Part
from dsm_ros.datasets.frame import Frame, FrameHeader, Sequence, first_readable
from dsm_ros.datasets.frame_files import find_frames
from dsm_ros.datasets.image_io import read_depth, read_rgb
from dsm_ros.datasets.image_size import Calibration, read_calibration, resize_depth
from dsm_ros.datasets.pose_file import read_pose
from dsm_ros.datasets.source_options import BY_THE_RULES, SourceOptions
from dsm_ros.errors import SequenceError
from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44, invert, make_pose

DEPTH_CAMERA = Camera(640, 480, 585.0, 585.0, 320.0, 240.0)
COLOUR_CAMERA = Camera(640, 480, 525.0, 525.0, 323.0, 237.0)
COLOUR_T_DEPTH = make_pose(np.eye(3), [-0.025, 0.0, 0.0])
FRAME_PERIOD_NS = 1_000_000_000 // 30
MILLIMETRES = 1000.0
OTHER_INTRINSICS = ("camera-intrinsics.txt", "camera_intrinsics.txt", "intrinsics.txt", "info.txt", "_info.txt")


class SevenScenesSequence:
    """Frames of one 7-Scenes folder, as the colour camera saw them.

    The recordings have two unregistered cameras and poses of the depth camera: depth is warped into the colour
    camera and the pose moved with it. With a camera_info.yaml, colour and depth share that camera.
    """

    def __init__(self, folder: Path, options: SourceOptions = BY_THE_RULES):
        self.name = folder.resolve().name
        self._folder = folder
        self._frames = find_frames(folder)
        if not self._frames:
            raise SequenceError(f"{folder} holds no frame-*.color.png or .jpg; give the folder of one sequence")
        self._shared = read_calibration(folder, options.camera_info)
        if self._shared is None:
            _check_data_set(folder)
        self._calibration = self._shared or Calibration(COLOUR_CAMERA, "the camera of 7-Scenes")

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, index: int) -> Frame:
        query, header = self.query(index), self.header(index)
        depth, lacks = None, header.lacks
        if path := self._frames[index].parts.get("depth"):
            try:
                depth = self._depth(path, query.camera)
            except ValueError as error:
                lacks = (*lacks, f"no depth: {error}")
        return replace(query, depth_HW=depth, map_T_camera=header.map_T_camera, lacks=lacks)

    def header(self, index: int) -> FrameHeader:
        """Return name, stamp, pose and what is lacking, of depth only whether there is a file.

        Raises SequenceError for a pose file that holds no pose.
        """
        files = self._frames[index]
        pose = self._pose(files.parts.get("pose"))
        lacks = () if "depth" in files.parts else ("no depth: its depth image is missing",)
        if isinstance(pose, str):
            return FrameHeader(files.name, files.number * FRAME_PERIOD_NS, None, (*lacks, f"no pose: {pose}"))
        return FrameHeader(files.name, files.number * FRAME_PERIOD_NS, pose, lacks)

    def query(self, index: int) -> Frame:
        """Return image, camera and stamp alone. Raises SequenceError for an image that cannot be read."""
        files = self._frames[index]
        image_HW3 = read_rgb(files.parts["colour"])
        camera = self._camera_of(files.parts["colour"], image_HW3)
        return Frame(files.name, files.number * FRAME_PERIOD_NS, image_HW3, camera)

    def describe(self) -> Description:
        """Return where the parts of the recording come from; the first image tells the size."""
        camera = first_readable(self).camera
        image = Part("image", "frame-*.color.*", f"{len(self)} images of {camera.width_px}x{camera.height_px}")
        depth = "of the image's camera" if self._shared else "registered from the depth camera of 7-Scenes"
        parts = (
            image,
            self._calibration.part(camera),
            self._part("depth", "frame-*.depth.png", f"1/1000 m, {depth}"),
            self._part("pose", "frame-*.pose.txt", "camera to world"),
        )
        return Description(parts, self._calibration.warnings(camera))

    def _camera_of(self, path: Path, image_HW3: NDArray[np.uint8]) -> Camera:
        """Return the camera of an image file; SequenceError for images that are not those of the data set."""
        if self._shared:
            return self._shared.camera_of(path, image_HW3)
        height_px, width_px = image_HW3.shape[:2]
        if (width_px, height_px) != (COLOUR_CAMERA.width_px, COLOUR_CAMERA.height_px):
            raise SequenceError(
                f"{path} has {width_px}x{height_px} pixels, and the images of 7-Scenes have 640x480; give the original"
                f" files, or put a {FILE_NAME} of these images into the folder when depth is registered to them"
            )
        return COLOUR_CAMERA

    def _part(self, key: str, pattern: str, detail: str) -> Part:
        what, count = {"pose": "poses"}.get(key, key), sum(key in files.parts for files in self._frames)
        return Part(what, pattern, f"{count} files, {detail}") if count else Part(what, "", f"there is no {pattern}")

    def _pose(self, path: Path | None) -> Pose44 | str:
        """Return the pose of the colour camera, or why there is none."""
        if path is None:
            return "its pose file is missing"
        pose = read_pose(path)
        if pose is None:
            return "tracking was lost (NaN, infinity, zeros or an empty file)"
        return pose if self._shared else pose @ invert(COLOUR_T_DEPTH)

    def _depth(self, path: Path, camera: Camera) -> NDArray[np.float32]:
        """Return the depth of each pixel of an image; ValueError says why there is none."""
        depth_HW = read_depth(path, MILLIMETRES)
        if self._shared:
            return resize_depth(depth_HW, camera.width_px, camera.height_px)
        height, width = depth_HW.shape
        if (width, height) != (DEPTH_CAMERA.width_px, DEPTH_CAMERA.height_px):
            raise ValueError(f"its depth image is {width}x{height}, and those of 7-Scenes are 640x480")
        return register_depth(depth_HW, DEPTH_CAMERA, camera, COLOUR_T_DEPTH)


def _check_data_set(folder: Path) -> None:
    """Raise SequenceError for data sets that name their files as 7-Scenes and tell another camera."""
    places = (folder, folder.absolute().parent)
    others = [place / name for place in places for name in OTHER_INTRINSICS if (place / name).is_file()]
    if others:
        raise SequenceError(
            f"{folder} is not of 7-Scenes, for it comes with {others[0]}; write that camera as a {FILE_NAME} beside it"
        )


def write_sequence(sequence: Sequence, folder: Path, on_progress: Callable[[int, int], None]) -> None:
    """Write frames with depth and pose to a new folder in this layout, with a camera_info.yaml."""
    folder.mkdir(parents=True)
    for index in range(len(sequence)):
        frame = sequence[index]
        if index == 0:
            write_camera_info(folder, frame.camera)
        stem = f"{folder}/frame-{index:06d}"
        cv2.imwrite(f"{stem}.color.png", frame.image_HW3[..., ::-1])
        if frame.depth_HW is not None:
            cv2.imwrite(f"{stem}.depth.png", (frame.depth_HW * MILLIMETRES + 0.5).astype(np.uint16))
        if frame.map_T_camera is not None:
            np.savetxt(f"{stem}.pose.txt", frame.map_T_camera, fmt="%.9f")
        on_progress(index + 1, len(sequence))
