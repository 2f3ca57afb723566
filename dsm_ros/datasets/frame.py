"""Frames of a sequence, and the protocol that every reader of sequences implements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dsm_ros.datasets.description import Description
from dsm_ros.errors import ImageError, SequenceError
from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44

FRAME_PERIOD_NS = 1_000_000_000 // 30  # frame period of sequences without recorded timestamps


@dataclass(frozen=True)
class FrameHeader:
    """Name, stamp and pose of one image, available without decoding the image.

    map_T_camera: 4x4, optical camera frame (z forward) in the sequence's world frame. missing: one short reason for
    each part, depth or pose, that is missing; the same reason has the same text in all frames.
    """

    name: str
    stamp_ns: int
    map_T_camera: Pose44 | None = None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True)
class Frame:
    """One image with its camera, depth and pose.

    image_HW3: uint8 RGB. depth_HW: float32 metres along z, registered to the image, 0 = unknown.
    map_T_camera: 4x4, optical camera frame (z forward) in the sequence's world frame. missing: the reasons as in
    FrameHeader, and a reason when the depth image could not be used.
    """

    name: str
    stamp_ns: int
    image_HW3: NDArray[np.uint8]
    camera: Camera
    depth_HW: NDArray[np.float32] | None = None
    map_T_camera: Pose44 | None = None
    missing: tuple[str, ...] = ()


class FrameSequence(Protocol):
    """Frames in sequence order; each frame can be read independently of the other frames."""

    name: str

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Frame:
        """Return a frame with its depth and pose, if known. Raises ImageError when the image cannot be read."""
        ...

    def header(self, index: int) -> FrameHeader:
        """Return name, stamp and pose of a frame without decoding an image."""
        ...

    def query(self, index: int) -> Frame:
        """Return a frame as a query image, with camera and stamp but without depth and pose."""
        ...

    def describe(self) -> Description:
        """Return the sources of the recording's parts."""
        ...


def first_readable(sequence: FrameSequence) -> Frame:
    """Return the first frame whose image can be read, as a query image. Raises ImageError when no image can be read."""
    for index in range(len(sequence)):
        try:
            return sequence.query(index)
        except ImageError as error:
            problem = error
    raise problem


def parse_frames(text: str | None, length: int) -> range:
    """Return the frame indices selected by START:STOP:STEP, each part optional; None selects all frames.

    Raises SequenceError when the text is malformed or selects no frame.
    """
    try:
        parts = [int(part) if part else None for part in (text or ":").split(":")]
        if not 2 <= len(parts) <= 3 or any(part is not None and part < 0 for part in parts):
            raise ValueError(text)
        indices = range(length)[slice(*parts)]
    except ValueError:
        raise SequenceError(f"--frames '{text}' is not START:STOP:STEP; try 0:220:5") from None
    if not indices:
        raise SequenceError(f"--frames '{text}' selects none of {length} frames; choose a range within 0:{length}")
    return indices
