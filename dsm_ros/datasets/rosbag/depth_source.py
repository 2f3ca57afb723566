"""Depth of a bag's images, registered to each image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from dsm_ros.datasets.depth_registration import register_depth
from dsm_ros.datasets.image_size import resize_depth
from dsm_ros.datasets.nearest_stamp import nearest_stamp
from dsm_ros.datasets.rosbag.bag import Bag, Entry
from dsm_ros.datasets.rosbag.camera_source import CameraSource
from dsm_ros.datasets.rosbag.streams import ImageStream
from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44
from dsm_ros.geometry.trajectory import Missing
from dsm_ros.geometry.transform_tree import TransformTree
from dsm_ros.messages.camera import camera_of_size
from dsm_ros.messages.depth import depth_from_msg

MAX_DEPTH_GAP_NS = 20_000_000
MAX_INTRINSICS_DIFFERENCE_PX = 1.0
NO_DEPTH = "no depth"
NO_DEPTH_IN_TIME = f"{NO_DEPTH}: no depth image within {MAX_DEPTH_GAP_NS // 1_000_000} ms"


@dataclass(frozen=True)
class DepthView:
    """Relation of depth pixels to an image: the depth camera is the image's camera, or another camera that TF places.

    camera: the camera of the depth images, None when it is the image's camera. tree: the transforms between the two
    frames.
    """

    image_frame: str
    depth_frame: str
    camera: CameraSource | None
    tree: TransformTree

    @property
    def is_aligned(self) -> bool:
        """Whether depth and image share one viewpoint."""
        return self.camera is None or self.image_frame == self.depth_frame

    def colour_T_depth(self, stamp_ns: int) -> Pose44 | Missing:
        """Return the pose (4x4) of the depth camera in the image's camera at a stamp, or why it is missing."""
        return np.eye(4) if self.is_aligned else self.tree.lookup(self.image_frame, self.depth_frame, stamp_ns)

    def in_image(
        self, depth_HW: NDArray[np.float32], camera: Camera, stamp_ns: int, colour_T_depth: Pose44
    ) -> NDArray[np.float32]:
        """Return depth (H, W; m) registered to an image's camera. Raises ValueError when an aspect ratio differs."""
        size = depth_HW.shape[1], depth_HW.shape[0]
        own = camera if self.camera is None else camera_of_size(self.camera.at(stamp_ns), *size)
        if self.is_aligned and is_same_camera(own, camera):
            return resize_depth(depth_HW, camera.width_px, camera.height_px)
        return register_depth(depth_HW, own, camera, colour_T_depth)

    def detail(self, camera: Camera) -> str:
        """Return a short text that says how depth is registered to an image's camera."""
        if not self.is_aligned:
            return f"registered from '{self.depth_frame}' to '{self.image_frame}' by TF"
        is_same = self.camera is None or is_same_camera(self.camera.at(0), camera)
        return f"aligned, frame '{self.depth_frame}'" + ("" if is_same else ", resampled from other intrinsics")


class DepthSource:
    """Images of one depth topic, each matched to the colour image nearest in time."""

    def __init__(self, bag: Bag, stream: ImageStream, view: DepthView):
        self.stream, self.view, self._bag = stream, view, bag
        entries = sorted(bag.entries(stream.topic), key=lambda entry: entry.stamp_ns)
        self._entries = [next(same) for _, same in groupby(entries, key=lambda entry: entry.stamp_ns)]
        self._stamps_ns = np.array([entry.stamp_ns for entry in self._entries], dtype=np.int64)

    def why_missing(self, stamp_ns: int) -> str | None:
        """Return why the image with a stamp has no depth, judged by stamps and TF alone, or None."""
        match = self._match(stamp_ns)
        return match if isinstance(match, str) else None

    def median_gap_ms(self, stamps_ns: Sequence[int]) -> float:
        """Return the median time (ms) between the images with the given stamps and their nearest depth images."""
        return float(np.median([np.abs(self._stamps_ns - stamp_ns).min() for stamp_ns in stamps_ns])) / 1e6

    def at(self, stamp_ns: int, camera: Camera) -> NDArray[np.float32] | str:
        """Return the depth (H, W; m) registered to the camera of the image with a stamp, or why it is missing."""
        match = self._match(stamp_ns)
        if isinstance(match, str):
            return match
        entry, colour_T_depth = match
        try:
            depth_HW = depth_from_msg(self._bag.message(self.stream.topic, entry))
            return self.view.in_image(depth_HW, camera, stamp_ns, colour_T_depth)
        except ValueError as error:
            return f"{NO_DEPTH}: {self.stream.topic.name}: {error}"

    def _match(self, stamp_ns: int) -> tuple[Entry, Pose44] | str:
        nearest = nearest_stamp(self._stamps_ns, stamp_ns, MAX_DEPTH_GAP_NS)
        if nearest is None:
            return NO_DEPTH_IN_TIME
        colour_T_depth = self.view.colour_T_depth(stamp_ns)
        if isinstance(colour_T_depth, Missing):
            return f"{NO_DEPTH}: {colour_T_depth.where}: {colour_T_depth.why}"
        return self._entries[nearest], colour_T_depth


def is_same_camera(one: Camera, other: Camera) -> bool:
    """Return whether two cameras have the same intrinsics and distortion, apart from their image size."""
    if abs(one.width_px * other.height_px - other.width_px * one.height_px) > max(one.width_px, other.width_px):
        return False
    scaled = one.resized(other.width_px, other.height_px)
    apart_px = np.abs(
        np.subtract((scaled.fx, scaled.fy, scaled.cx, scaled.cy), (other.fx, other.fy, other.cx, other.cy))
    )
    return bool(apart_px.max() <= MAX_INTRINSICS_DIFFERENCE_PX) and _distortion(one) == _distortion(other)


def _distortion(camera: Camera) -> tuple[object, ...]:
    """Return the distortion model and its coefficients, both empty when all coefficients are 0."""
    return (camera.distortion_model, *camera.distortion) if any(camera.distortion) else ()
