"""Cameras of the node: calibration, pose on the rig, and conversion of image messages to views."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from std_msgs.msg import Header

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44
from dsm_ros.geometry.trajectory import Absence, Missing
from dsm_ros.localization.result import NotLocalized, Reason
from dsm_ros.localization.view import View
from dsm_ros.messages.camera import camera_of_size, sizes_differ
from dsm_ros.node.images.cv_bridge_images import make_image_decoder
from dsm_ros.node.tf.transforms import Transforms

logger = logging.getLogger(__name__)

NO_CAMERA_INFO = "no camera_info has arrived; check its topic"


class Cameras:
    """Converts image messages to views. The frame of a single camera is the frame of its rig.

    names: names of the cameras, [""] for a single camera. rig_frame: frame that is located in the map; empty for the
    frame of the first camera. camera_of: converts a CameraInfo.
    """

    def __init__(
        self,
        names: Sequence[str],
        rig_frame: str,
        transforms: Transforms,
        camera_of: Callable[[Any], Camera],
    ):
        self._names, self._rig_frame, self._transforms, self._camera_of = names, rig_frame, transforms, camera_of
        self._image_of = make_image_decoder()
        self._first_frame = ""
        self._cameras: dict[str, Camera | str] = {}

    def take_camera_info(self, name: str, message: Any) -> None:
        """Use a CameraInfo for the next images of a camera."""
        try:
            self._cameras[name] = self._camera_of(message)
        except ValueError as error:
            self._cameras[name] = f"camera_info cannot be used: {error}"

    def header(self, messages: Mapping[str, Any]) -> Header:
        """Return a header with the rig's frame (empty while it is unknown) and the timestamp of the first image."""
        if first := messages.get(self._names[0]):
            self._first_frame = first.header.frame_id
        stamp = next(iter(messages.values())).header.stamp
        return Header(stamp=stamp, frame_id=self._rig_frame or self._first_frame)

    def views(self, messages: Mapping[str, Any], rig_frame: str) -> tuple[list[View], dict[str, NotLocalized]]:
        """Return the usable images of one group, and for each other camera why its image is unusable or missing."""
        read = {name: self._view(name, message, rig_frame) for name, message in messages.items()}
        unusable = {name: view for name, view in read.items() if isinstance(view, NotLocalized)}
        for name in self._names:
            if name not in messages:
                detail = f"{name}: no image with a timestamp near those of the other cameras"
                unusable[name] = NotLocalized(Reason.STALE_IMAGES, detail)
        return [view for view in read.values() if isinstance(view, View)], unusable

    def _view(self, name: str, message: Any, rig_frame: str) -> View | NotLocalized:
        label = f"{name}: " if name else ""
        camera = self._cameras.get(name, NO_CAMERA_INFO)
        if isinstance(camera, str):
            return NotLocalized(Reason.NO_CAMERA_INFO, label + camera)
        rig_T_camera = self._place(rig_frame, message.header.frame_id)
        if isinstance(rig_T_camera, Missing):
            return NotLocalized(Reason.NO_TF, label + rig_T_camera.reason)
        try:
            image_HW3 = self._image_of(message)
            camera = fitted_camera(camera, image_HW3.shape[1], image_HW3.shape[0])
        except ValueError as error:
            return NotLocalized(Reason.UNREADABLE_IMAGE, label + str(error))
        return View(name, image_HW3, camera, rig_T_camera)

    def _place(self, rig_frame: str, camera_frame: str) -> Pose44 | Missing:
        if rig_frame == camera_frame:
            return np.eye(4)
        if not rig_frame:
            reason = f"base_frame is not set, and {self._names[0]} has sent no image with its frame"
            return Missing(Absence.UNKNOWN_FRAME, camera_frame, reason)
        return self._transforms.lookup(rig_frame, camera_frame, None)


@lru_cache(maxsize=16)  # so that each pair of sizes is logged once
def fitted_camera(camera: Camera, width_px: int, height_px: int) -> Camera:
    """Return the camera scaled to an image size. Raises ValueError for another aspect ratio."""
    fitted = camera_of_size(camera, width_px, height_px)
    if fitted != camera:
        logger.warning("%s: the calibration is scaled", sizes_differ(camera, width_px, height_px))
    return fitted
