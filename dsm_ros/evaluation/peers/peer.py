"""Localization by keypoint methods, for comparison with dsm_ros with the same retrieved keyframes and the same PnP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from dsm_ros.errors import DsmError
from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pnp import solve_pnp
from dsm_ros.geometry.pose import Pose44, transform
from dsm_ros.geometry.rectify import rectify_depth, rectify_image
from dsm_ros.scene_map.keyframe import Keyframe


class PeerUnavailable(DsmError):
    """A peer that cannot run on this machine; the message gives the reason."""


class Peer(Protocol):
    """Another method, which localizes a single image in retrieved keyframes."""

    def prepare(self, keyframe: Keyframe) -> None:
        """Compute and keep the features of a keyframe."""

    def localize(self, image_HW3: NDArray[np.uint8], camera: Camera, keyframe_ids: Sequence[int]) -> Pose44 | None:
        """Return map_T_camera of an image in prepared keyframes, or None without a pose."""


@dataclass(frozen=True)
class Keypoints:
    """Pixels and descriptors (unit length along D) of the keypoints of an image of size_px (width, height)."""

    pixels_N2: NDArray[np.float64]
    descriptors_ND: Tensor
    size_px: tuple[int, int]

    def of(self, rows_K: NDArray[np.int64]) -> Keypoints:
        """Return the keypoints in the given rows."""
        return Keypoints(self.pixels_N2[rows_K], self.descriptors_ND[rows_K], self.size_px)


class KeypointMethod(Protocol):
    """A method that finds keypoints in an image and matches the keypoints of two images."""

    def describe(self, image_HW3: NDArray[np.uint8]) -> Keypoints:
        """Return the keypoints of an image (uint8 RGB)."""

    def match(self, query: Keypoints, keyframe: Keypoints) -> NDArray[np.int64]:
        """Return the matches (M, 2): rows of the query's keypoints, rows of the keyframe's keypoints."""


class KeypointPeer:
    """A peer that combines a keypoint method, undistorted images of the original size, and the PnP of dsm_ros.

    max_error: inlier limit, relative to the long side of an image.
    """

    def __init__(self, method: KeypointMethod, max_error: float):
        self._method, self._max_error = method, max_error
        self._keyframes: dict[int, tuple[Keypoints, NDArray[np.float64]]] = {}

    def prepare(self, keyframe: Keyframe) -> None:
        """Store the keypoints of a keyframe that have depth, and the map points of these keypoints."""
        camera = keyframe.camera.undistorted()
        keypoints = self._method.describe(rectify_image(keyframe.image_HW3(), keyframe.camera, camera))
        depth_HW = rectify_depth(keyframe.depth_HW(), keyframe.camera, camera)
        u_N, v_N = np.rint(keypoints.pixels_N2).astype(int).T
        depth_N = depth_HW[v_N.clip(0, camera.height_px - 1), u_N.clip(0, camera.width_px - 1)]
        (known_K,) = np.nonzero(depth_N)
        mapped = keypoints.of(known_K)
        points_K3 = transform(keyframe.map_T_camera, camera.unproject(mapped.pixels_N2) * depth_N[known_K, None])
        self._keyframes[keyframe.id] = mapped, points_K3

    def localize(self, image_HW3: NDArray[np.uint8], camera: Camera, keyframe_ids: Sequence[int]) -> Pose44 | None:
        """Return the pose that most matches between an image and all keyframes agree with, or None."""
        pinhole = camera.undistorted()
        query = self._method.describe(rectify_image(image_HW3, camera, pinhole))
        pixels, points = [np.empty((0, 2))], [np.empty((0, 3))]
        for keyframe, points_K3 in (self._keyframes[i] for i in keyframe_ids):
            pairs_M2 = self._method.match(query, keyframe)
            pixels.append(query.pixels_N2[pairs_M2[:, 0]])
            points.append(points_K3[pairs_M2[:, 1]])
        max_error_px = self._max_error * max(pinhole.width_px, pinhole.height_px)
        return solve_pnp(np.concatenate(pixels), np.concatenate(points), pinhole, max_error_px)
