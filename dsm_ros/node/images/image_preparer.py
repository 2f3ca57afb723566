"""Preparation of images for their localization: decoding, and encoding by the network."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from std_msgs.msg import Header

from dsm_ros.localization.result import NotLocalized
from dsm_ros.localization.view import View
from dsm_ros.node.images.cameras import Cameras
from dsm_ros.node.images.image_groups import ImageGroup

Views = tuple[list[View], dict[str, NotLocalized]]  # the usable images, and why the image of a camera is unusable
EncodeAhead = Callable[[list[View]], list[View]]


@dataclass(frozen=True)
class PreparedImages:
    """One image of each camera, decoded and, on a CPU, encoded.

    received_s: arrival of the first image (monotonic clock). views: the usable images, and why others are unusable, or
    the error of the preparation.
    """

    header: Header
    received_s: float
    views: Views | Exception


class ImagePreparer:
    """Decodes and encodes images in the first thread of the pipeline, while the second localizes the previous images.

    encoder: returns a function that adds the features to views on a CPU, None while no map is loaded.
    """

    def __init__(self, cameras: Cameras, encoder: Callable[[], EncodeAhead | None]):
        self._cameras, self._encoder = cameras, encoder

    def prepare(self, group: ImageGroup) -> PreparedImages:
        """Decode and encode one image of each camera."""
        messages = group.close()
        header = self._cameras.header(messages)
        return PreparedImages(header, group.received_s, self._views(messages, header.frame_id))

    def _views(self, messages: dict[str, Any], rig_frame: str) -> Views | Exception:
        try:
            views, unusable = self._cameras.views(messages, rig_frame)
            encode = self._encoder()
            return encode(views) if encode else views, unusable
        except Exception as error:  # the report of the images names the error
            return error
