"""Scaling of a calibration and of depth to the size of an image."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from dsm_ros.datasets.camera_info import FILE_NAME, find_camera_info, read_camera_info_file
from dsm_ros.datasets.description import RecordingPart
from dsm_ros.errors import SequenceError
from dsm_ros.geometry.camera import Camera
from dsm_ros.messages.camera import camera_of_size

ASPECT_TOLERANCE = 0.005  # 12-Scenes registers 640x480 depth to 1296x968 images, which are 0.4 % wider


@dataclass(frozen=True)
class Calibration:
    """A camera and the source of its calibration: a file, or the known camera of a data set."""

    camera: Camera
    source: str

    def camera_of(self, path: Path, image_HW3: NDArray[np.uint8]) -> Camera:
        """Return the camera scaled to an image file. Raises SequenceError when the aspect ratio differs."""
        height_px, width_px = image_HW3.shape[:2]
        try:
            return camera_of_size(self.camera, width_px, height_px)
        except ValueError:
            size = f"{self.camera.width_px}x{self.camera.height_px}"
            raise SequenceError(
                f"{path} has {width_px}x{height_px} pixels, but {self.source} is for {size}, another aspect ratio;"
                f" add a {FILE_NAME} for these images to the folder of the sequence"
            ) from None

    def part(self, camera: Camera) -> RecordingPart:
        """Return the row of ``dsm inspect`` for a camera whose calibration was scaled to the image size."""
        lens = f", {camera.distortion_model}" if camera.distortion else ""
        numbers = f"f {camera.fx:.1f} {camera.fy:.1f}, c {camera.cx:.1f} {camera.cy:.1f}{lens}"
        return RecordingPart(
            "camera", self.source, numbers, f"--camera-info FILE, or a {FILE_NAME} in or beside the folder"
        )

    def warnings(self, camera: Camera) -> tuple[str, ...]:
        """Return a warning when the camera was scaled to the image."""
        own, image = ((one.width_px, one.height_px) for one in (self.camera, camera))
        if own == image:
            return ()
        return (f"the camera of {self.source} ({own[0]}x{own[1]}) is scaled to the images ({image[0]}x{image[1]})",)


def read_calibration(folder: Path, given: str | None) -> Calibration | None:
    """Return the calibration in the given file, else in camera_info.yaml in or beside a folder, else None."""
    path = Path(given).expanduser() if given else find_camera_info(folder)
    return Calibration(read_camera_info_file(path), str(path)) if path else None


def check_same_shape(depth_HW: NDArray[np.float32], width_px: int, height_px: int) -> None:
    """Raise ValueError for depth with another aspect ratio than the image, because such depth is not registered."""
    height, width = depth_HW.shape
    if abs(width * height_px - width_px * height) > ASPECT_TOLERANCE * width_px * height:
        raise ValueError(
            f"its depth image has {width}x{height} pixels, another aspect ratio than {width_px}x{height_px}"
        )


def resize_depth(depth_HW: NDArray[np.float32], width_px: int, height_px: int) -> NDArray[np.float32]:
    """Return depth resized to its image by the nearest pixel. Raises ValueError when the aspect ratios differ."""
    check_same_shape(depth_HW, width_px, height_px)
    if depth_HW.shape == (height_px, width_px):
        return depth_HW
    return cv2.resize(depth_HW, (width_px, height_px), interpolation=cv2.INTER_NEAREST_EXACT)
