"""Writing of a sequence in the layout of 7-Scenes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from dsm_ros.datasets.camera_info import write_camera_info
from dsm_ros.datasets.frame import FrameSequence
from dsm_ros.datasets.seven_scenes.sequence import UNITS_PER_M


def write_sequence(sequence: FrameSequence, folder: Path, on_progress: Callable[[int, int], None]) -> None:
    """Write all frames with their depth and pose, and the camera as camera_info.yaml, to a new folder."""
    folder.mkdir(parents=True)
    for index in range(len(sequence)):
        frame = sequence[index]
        if index == 0:
            write_camera_info(folder, frame.camera)
        stem = f"{folder}/frame-{index:06d}"
        cv2.imwrite(f"{stem}.color.png", frame.image_HW3[..., ::-1])
        if frame.depth_HW is not None:
            cv2.imwrite(f"{stem}.depth.png", (frame.depth_HW * UNITS_PER_M + 0.5).astype(np.uint16))
        if frame.map_T_camera is not None:
            np.savetxt(f"{stem}.pose.txt", frame.map_T_camera, fmt="%.9f")
        on_progress(index + 1, len(sequence))
