"""SIFT keypoints by OpenCV with RootSIFT descriptors."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from dsm_ros.evaluation.peers.mutual import mutual_matches
from dsm_ros.evaluation.peers.peer import Keypoints

MAX_KEYPOINTS = 1000
MAX_RATIO = 0.8


class Sift:
    """The strongest SIFT keypoints, matched by mutual nearest neighbours that pass Lowe's ratio test."""

    def __init__(self) -> None:
        self._sift = cv2.SIFT.create(MAX_KEYPOINTS)

    def describe(self, image_HW3: NDArray[np.uint8]) -> Keypoints:
        """Return the keypoints of an image."""
        found, raw_ND = self._sift.detectAndCompute(cv2.cvtColor(image_HW3, cv2.COLOR_RGB2GRAY), None)
        size_px = image_HW3.shape[1], image_HW3.shape[0]
        if raw_ND is None:
            return Keypoints(np.empty((0, 2)), torch.empty(0, 128), size_px)
        descriptors_ND = np.sqrt(raw_ND / np.maximum(raw_ND.sum(1, keepdims=True), 1e-12))
        return Keypoints(np.array([k.pt for k in found], dtype=np.float64), torch.from_numpy(descriptors_ND), size_px)

    def match(self, query: Keypoints, keyframe: Keypoints) -> NDArray[np.int64]:
        """Return the matches (M, 2): rows of the query's keypoints, rows of the keyframe's keypoints."""
        return mutual_matches(query.descriptors_ND, keyframe.descriptors_ND, max_ratio=MAX_RATIO)
