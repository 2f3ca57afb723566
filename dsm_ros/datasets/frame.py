"""Frames of a sequence, and the protocol that every reader of a layout follows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dsm_ros.datasets.description import Description
from dsm_ros.errors import ImageError, SequenceError
from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44


@dataclass(frozen=True)
class FrameHeader:
    """What is known of one image before its pixels are read.

    map_T_camera: 4x4, optical camera frame (z forward) in the sequence's world. lacks: why depth or pose are missing,
    one short reason each; frames that lack a part for the same reason have the same text.
    """

    name: str
    stamp_ns: int
    map_T_camera: Pose44 | None = None
    lacks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Frame:
    """One image with what is known about it.

    image_HW3: uint8 RGB. depth_HW: float32 metres along z, registered to the image, 0 = unknown.
    map_T_camera: 4x4, optical camera frame (z forward) in the sequence's world. lacks: as in FrameHeader, and what
    reading the depth has shown.
    """

    name: str
    stamp_ns: int
    image_HW3: NDArray[np.uint8]
    camera: Camera
    depth_HW: NDArray[np.float32] | None = None
    map_T_camera: Pose44 | None = None
    lacks: tuple[str, ...] = ()


class Sequence(Protocol):
    """Frames in sequence order; reading one frame touches no other."""

    name: str

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Frame:
        """Return a frame with its depth and pose, where they are known."""
        ...

    def header(self, index: int) -> FrameHeader:
        """Return what is known of a frame before its pixels are read; costs no image decoding."""
        ...

    def query(self, index: int) -> Frame:
        """Return image, camera and stamp alone: what is localized. Neither depth nor pose is read."""
        ...

    def describe(self) -> Description:
        """Return where the parts of the recording come from."""
        ...


def first_readable(sequence: Sequence) -> Frame:
    """Return the first frame whose image can be read, as a query. Raises ImageError when none can."""
    for index in range(len(sequence)):
        try:
            return sequence.query(index)
        except ImageError as error:
            problem = error
    raise problem


def parse_frames(text: str | None, length: int) -> range:
    """Return the frame indices of START:STOP:STEP (each part optional) within a sequence; None is all.

    Raises SequenceError when the text is malformed or picks nothing.
    """
    try:
        parts = [int(part) if part else None for part in (text or ":").split(":")]
        if not 2 <= len(parts) <= 3 or any(part is not None and part < 0 for part in parts):
            raise ValueError(text)
        indices = range(length)[slice(*parts)]
    except ValueError:
        raise SequenceError(f"--frames '{text}' is not START:STOP:STEP; try 0:220:5") from None
    if not indices:
        raise SequenceError(f"--frames '{text}' picks nothing from {length} frames; choose a range within 0:{length}")
    return indices
