"""7-Scenes: frame-NNNNNN.{color.png|jpg, depth.png, pose.txt} in one folder."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dsm_ros.datasets.camera_info import read_camera_info, write_camera_info
from dsm_ros.datasets.depth_registration import register_depth
from dsm_ros.datasets.frame import Frame, Sequence
from dsm_ros.datasets.image_io import read_depth, read_rgb
from dsm_ros.errors import SequenceError
from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44, invert, make_pose, nearest_rotation

DEPTH_CAMERA = Camera(640, 480, 585.0, 585.0, 320.0, 240.0)
COLOUR_CAMERA = Camera(640, 480, 525.0, 525.0, 323.0, 237.0)
COLOUR_T_DEPTH = make_pose(np.eye(3), [-0.025, 0.0, 0.0])
FRAME_PERIOD_NS = 1_000_000_000 // 30
MILLIMETRES = 1000.0


class SevenScenesSequence:
    """Frames of one 7-Scenes folder, as the colour camera saw them.

    The recordings have two unregistered cameras and poses of the depth camera: depth is warped into the colour
    camera and the pose moved with it. With a camera_info.yaml, colour and depth share that camera.
    """

    def __init__(self, folder: Path):
        self.name = folder.name
        self._folder = folder
        self._camera = read_camera_info(folder)
        names = (re.fullmatch(r"frame-(\d+)\.color\.(?:png|jpg)", path.name) for path in folder.iterdir())
        self._numbers = sorted({match[1] for match in names if match}, key=int)
        if not self._numbers:
            raise SequenceError(f"{folder} holds no frame-*.color.png or .jpg; give the folder of one sequence")

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, index: int) -> Frame:
        number = self._numbers[index]
        stem = self._folder / f"frame-{number}"
        colour_png = Path(f"{stem}.color.png")
        image_HW3 = read_rgb(colour_png if colour_png.exists() else colour_png.with_suffix(".jpg"))
        depth_path, pose_path = Path(f"{stem}.depth.png"), Path(f"{stem}.pose.txt")
        depth_HW = read_depth(depth_path, MILLIMETRES) if depth_path.exists() else None
        map_T_depth = read_pose(pose_path) if pose_path.exists() else None
        stamp_ns = int(number) * FRAME_PERIOD_NS
        if self._camera:
            return Frame(stem.name, stamp_ns, image_HW3, self._camera, depth_HW, map_T_depth)
        return self._registered(stem.name, stamp_ns, image_HW3, depth_HW, map_T_depth)

    @staticmethod
    def _registered(
        name: str,
        stamp_ns: int,
        image_HW3: NDArray[np.uint8],
        depth_HW: NDArray[np.float32] | None,
        map_T_depth: Pose44 | None,
    ) -> Frame:
        if depth_HW is not None:
            depth_HW = register_depth(depth_HW, DEPTH_CAMERA, COLOUR_CAMERA, COLOUR_T_DEPTH)
        map_T_camera = map_T_depth @ invert(COLOUR_T_DEPTH) if map_T_depth is not None else None
        return Frame(name, stamp_ns, image_HW3, COLOUR_CAMERA, depth_HW, map_T_camera)


def read_pose(path: Path) -> Pose44 | None:
    """Return the 4x4 pose of a text file, its rotation made orthonormal; None where tracking had failed (NaN)."""
    try:
        pose_44 = np.loadtxt(path, dtype=np.float64).reshape(4, 4)
        return make_pose(nearest_rotation(pose_44[:3, :3]), pose_44[:3, 3]) if np.isfinite(pose_44).all() else None
    except (ValueError, OSError) as error:
        raise SequenceError(f"{path} is no 4x4 pose ({str(error).splitlines()[0]})") from error


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
