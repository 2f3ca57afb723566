"""Decoders of image messages by cv_bridge, where it is installed, or by messages/image.py."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from dsm_ros.messages.compressed import encoding_label, is_compressed
from dsm_ros.messages.image import ENCODINGS, image_from_msg

ImageDecoder = Callable[[Any], NDArray[np.uint8]]

BRIDGED = ("rgb8", "bgr8", "rgba8", "bgra8", "mono8")


def make_image_decoder() -> ImageDecoder:
    """Return a decoder with the same results as image_from_msg, which uses cv_bridge where it is installed."""
    if importlib.util.find_spec("cv_bridge") is None:
        return image_from_msg
    from cv_bridge import CvBridge

    return CvBridgeDecoder(CvBridge())


class CvBridgeDecoder:
    """Decodes common images with a CvBridge, and all other images with image_from_msg.

    cv_bridge skews rows whose padding is not a whole pixel, keeps the upper 8 of 16 bits, and gives vague errors.
    """

    def __init__(self, bridge: Any):
        self._bridge = bridge

    def __call__(self, message: Any) -> NDArray[np.uint8]:
        """Return uint8 RGB (H, W, 3) of an Image or CompressedImage. Raises ValueError if it cannot be decoded."""
        if not _is_bridged(message):
            return image_from_msg(message)
        try:
            return np.asarray(self._bridge.imgmsg_to_cv2(message, "rgb8"), np.uint8)
        except (TypeError, RuntimeError, ValueError, cv2.error) as error:  # CvBridgeError is a TypeError
            reason = " ".join(str(error).split())
            raise ValueError(f"image with {encoding_label(message)} cannot be decoded: {reason}") from error


def _is_bridged(message: Any) -> bool:
    """Return whether a message is a complete Image of 8 bits without padding."""
    if is_compressed(message) or message.encoding not in BRIDGED or message.is_bigendian:
        return False
    row_bytes = message.width * ENCODINGS[message.encoding].channels
    return 0 < row_bytes == message.step and 0 < row_bytes * message.height == len(message.data)
