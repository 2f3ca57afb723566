"""Thumbnails of keyframes for the debug image."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from dsm_ros.errors import MapError
from dsm_ros.scene_map.keyframe import Keyframe

REMEMBERED = 1000  # 58 KB each for a map of 640x480 images


class Keyframes(Protocol):
    """Protocol of a map that returns its keyframes by id."""

    def keyframes(self, ids: Sequence[int]) -> list[Keyframe]:
        """Return keyframes in the order of their ids."""


class Thumbnails:
    """Reads the images of keyframes at a quarter of their size, and remembers the last REMEMBERED images."""

    def __init__(self, scene_map: Keyframes):
        self._scene_map = scene_map
        self._known: dict[int, NDArray[np.uint8]] = {}

    def of(self, keyframe_ids: Sequence[int]) -> list[NDArray[np.uint8]]:
        """Return the images of keyframes, uint8 RGB, in order. Raises MapError if an image is missing or damaged."""
        if missing := [i for i in keyframe_ids if i not in self._known]:
            self._known.update({keyframe.id: _shrunk(keyframe) for keyframe in self._scene_map.keyframes(missing)})
        found = [self._known[i] for i in keyframe_ids]
        for oldest in list(self._known)[:-REMEMBERED]:
            del self._known[oldest]
        return found


def _shrunk(keyframe: Keyframe) -> NDArray[np.uint8]:
    image = cv2.imdecode(np.frombuffer(keyframe.image_jpeg, np.uint8), cv2.IMREAD_REDUCED_COLOR_4)
    if image is None:
        raise MapError(f"keyframe {keyframe.id}: its image is damaged; build the map again")
    return np.asarray(image[..., ::-1], dtype=np.uint8)
