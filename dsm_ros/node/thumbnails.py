"""Small pictures of keyframes for the debug image."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from dsm_ros.errors import MapError
from dsm_ros.scene_map.keyframe import Keyframe

REMEMBERED = 1000  # 58 KB each for a map of 640x480 images


class Keyframes(Protocol):
    """What is needed of a map."""

    def keyframe(self, keyframe_id: int) -> Keyframe: ...


class Thumbnails:
    """Reads the pictures of keyframes at a quarter of their size, each once: from disk one takes some ms."""

    def __init__(self, scene_map: Keyframes):
        self._scene_map = scene_map
        self._read = lru_cache(REMEMBERED)(self._read_one)

    def of(self, keyframe_ids: Sequence[int]) -> list[NDArray[np.uint8]]:
        """Return the pictures, uint8 RGB, in the order asked. Raises MapError when one is missing or damaged."""
        return [self._read(keyframe_id) for keyframe_id in keyframe_ids]

    def _read_one(self, keyframe_id: int) -> NDArray[np.uint8]:
        jpeg = np.frombuffer(self._scene_map.keyframe(keyframe_id).image_jpeg, np.uint8)
        image = cv2.imdecode(jpeg, cv2.IMREAD_REDUCED_COLOR_4)
        if image is None:
            raise MapError(f"keyframe {keyframe_id}: its image is damaged; build the map again or prune this keyframe")
        return np.asarray(image[..., ::-1], dtype=np.uint8)
