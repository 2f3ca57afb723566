"""The dense cloud of one image: coordinate, confidence, pixel and colour of every cell."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.rectify import OUTSIDE_PX
from dsm_ros.geometry.sampling import cell_centres
from dsm_ros.localization.attempt import Attempt
from dsm_ros.localization.result import SceneCoordinates


def dense_coordinates(
    attempt: Attempt, image_HW3: NDArray[np.uint8], camera: Camera, matched: Camera
) -> SceneCoordinates:
    """Return scene coordinates on the match's grid; pixels and colours are those of the original image.

    camera: of the image. matched: the pinhole camera at the network's input size.
    """
    height, width = attempt.match.confidence_HW.shape
    centres_P2 = cell_centres(width, height, matched.width_px, matched.height_px)
    pixels_HW2 = camera.project(matched.unproject(centres_P2)).reshape(height, width, 2).astype(np.float32)
    seen_HW2 = np.nan_to_num(pixels_HW2, nan=OUTSIDE_PX)  # cv2.remap takes NaN for some pixel
    colors_HW3 = cv2.remap(image_HW3, seen_HW2[..., 0], seen_HW2[..., 1], cv2.INTER_LINEAR)
    confidence_HW = attempt.match.confidence_HW.cpu().numpy().astype(np.float32)
    return SceneCoordinates(attempt.coords_P3.reshape(height, width, 3), confidence_HW, pixels_HW2, colors_HW3)
