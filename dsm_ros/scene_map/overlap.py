"""Overlap of two RGB-D images with poses, measured by reprojecting pixels of one image into the other image."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

from dsm_ros.datasets.frame import Frame
from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44, invert, transform
from dsm_ros.scene_map.keyframe import Keyframe, depth_and_pose

WIDTH_PX = 160
STEP_PX = 2
SMOOTH_PX = 0.8
DETAIL_PX = 9  # size of the largest image structures that are compared
MIN_CONTRAST = 3.0  # standard deviation in grey levels below which an image is mostly noise
MIN_SHARED = 0.04
TOLERANCE_M, TOLERANCE_SHARE = 0.05, 0.08  # between two depths of one surface, at coarse pixels


@dataclass(frozen=True)
class RgbdView:
    """A downscaled RGB-D image with its pose.

    depth_HW: m, 0 = unknown. detail_HW: the grey image without its low frequencies.
    """

    camera: Camera
    map_T_camera: Pose44
    depth_HW: NDArray[np.float32]
    detail_HW: NDArray[np.float32]

    @cached_property
    def samples_N2(self) -> NDArray[np.int64]:
        """Return the pixels (u, v) of a regular grid that have depth."""
        v_HW, u_HW = np.mgrid[
            STEP_PX // 2 : self.camera.height_px : STEP_PX, STEP_PX // 2 : self.camera.width_px : STEP_PX
        ]
        known_HW = self.depth_HW[v_HW, u_HW] > 0
        return np.stack([u_HW[known_HW], v_HW[known_HW]], axis=1)

    @cached_property
    def rays_N3(self) -> NDArray[np.float64]:
        """Return the rays of the samples, with z = 1."""
        return self.camera.unproject(self.samples_N2.astype(np.float64))

    @cached_property
    def points_N3(self) -> NDArray[np.float64]:
        """Return the points of the samples in the camera frame, m."""
        return self.rays_N3 * self.depth_HW[self.samples_N2[:, 1], self.samples_N2[:, 0], None]


def make_view(
    image_HW3: NDArray[np.uint8], depth_HW: NDArray[np.float32], camera: Camera, map_T_camera: Pose44
) -> RgbdView:
    """Return the view of an image (uint8 RGB) and its depth (m, 0 = unknown), both in ``camera``."""
    width_px = min(WIDTH_PX, camera.width_px)
    size = (width_px, max(1, round(camera.height_px * width_px / camera.width_px)))
    small_HW3 = cv2.resize(image_HW3, size, interpolation=cv2.INTER_AREA)
    grey_HW = cv2.cvtColor(small_HW3, cv2.COLOR_RGB2GRAY).astype(np.float32)
    grey_HW = cv2.GaussianBlur(grey_HW, (0, 0), SMOOTH_PX)
    detail_HW = grey_HW - cv2.blur(grey_HW, (DETAIL_PX, DETAIL_PX))
    small_depth_HW = cv2.resize(depth_HW, size, interpolation=cv2.INTER_NEAREST)
    return RgbdView(camera.resized(*size), map_T_camera, small_depth_HW, detail_HW)


def frame_view(frame: Frame) -> RgbdView:
    """Return the downscaled view of a frame. Raises MapError when the frame has no depth or no pose."""
    depth_HW, map_T_camera = depth_and_pose(frame)
    return make_view(frame.image_HW3, depth_HW, frame.camera, map_T_camera)


def keyframe_view(keyframe: Keyframe) -> RgbdView:
    """Return the downscaled view of a keyframe. Raises MapError when its image or depth is damaged."""
    return make_view(keyframe.image_HW3(), keyframe.depth_HW(), keyframe.camera, keyframe.map_T_camera)


@dataclass(frozen=True)
class Overlap:
    """Agreement of two views after the pixels of the first view are reprojected into the second view.

    shared: share of the first view's pixels that fall on known depth of the second. moved: median displacement of the
    shared pixels, in image widths. in_front: share of the shared pixels that lie in front of the second view's surface
    and would hide it; 0 when depth and poses are right. agreeing: share of the first view's pixels that lie on the
    second view's surface. correlation: normalised cross-correlation (-1..1) of the two images over the visible shared
    pixels, None when either image has too little contrast.
    """

    shared: float
    moved: float = float("inf")
    in_front: float = 0.0
    agreeing: float = 0.0
    correlation: float | None = None

    @property
    def apart(self) -> bool:
        """Whether the views share too few pixels to be compared."""
        return self.shared < MIN_SHARED

    @property
    def meets(self) -> bool:
        """Whether both views contain a surface at the same place."""
        return self.agreeing >= MIN_SHARED


def relative_pose(one: RgbdView, other: RgbdView) -> Pose44:
    """Return the relative pose other_T_one (4x4) of two views."""
    return invert(other.map_T_camera) @ one.map_T_camera


def overlap(one: RgbdView, other: RgbdView, other_T_one: Pose44, focal_factor: float = 1.0) -> Overlap:
    """Return the overlap of two views for a relative pose ``other_T_one`` and focal lengths times ``focal_factor``."""
    if not len(one.samples_N2):
        return Overlap(0.0)
    points_N3 = transform(other_T_one, one.points_N3 / (focal_factor, focal_factor, 1.0))
    pixels_N2 = np.nan_to_num(other.camera.project(points_N3 * (focal_factor, focal_factor, 1.0)), nan=-1.0)
    u_N, v_N = np.rint(np.clip(pixels_N2, -1, max(other.depth_HW.shape))).astype(int).T
    inside_N = (u_N >= 0) & (u_N < other.camera.width_px) & (v_N >= 0) & (v_N < other.camera.height_px)
    (at_M,) = np.nonzero(inside_N)
    at_M = at_M[other.depth_HW[v_N[at_M], u_N[at_M]] > 0]
    shared = len(at_M) / len(inside_N)
    if shared < MIN_SHARED:
        return Overlap(shared)
    return _compared(one, other, shared, at_M, np.stack([u_N, v_N], axis=1)[at_M], points_N3[at_M, 2])


def _compared(
    one: RgbdView,
    other: RgbdView,
    shared: float,
    at_M: NDArray[np.int64],
    to_M2: NDArray[np.int64],
    z_M: NDArray[np.float64],
) -> Overlap:
    from_M2 = one.samples_N2[at_M]
    surface_M = other.depth_HW[to_M2[:, 1], to_M2[:, 0]]
    tolerance_M = TOLERANCE_M + TOLERANCE_SHARE * surface_M
    moved_px = float(np.median(np.linalg.norm(to_M2 - from_M2, axis=1)))
    visible_M = z_M < surface_M + tolerance_M
    correlation = _correlation(
        one.detail_HW[from_M2[visible_M, 1], from_M2[visible_M, 0]],
        other.detail_HW[to_M2[visible_M, 1], to_M2[visible_M, 0]],
    )
    in_front = float(np.mean(z_M < surface_M - tolerance_M))
    agreeing = shared * float(np.mean(np.abs(z_M - surface_M) < tolerance_M))
    return Overlap(shared, moved_px / other.camera.width_px, in_front, agreeing, correlation)


def _correlation(one_N: NDArray[np.float32], other_N: NDArray[np.float32]) -> float | None:
    """Return the normalised cross-correlation of two images, None with too few samples or too little contrast."""
    if len(one_N) < 50 or min(one_N.std(), other_N.std()) < MIN_CONTRAST:
        return None
    one_N, other_N = one_N - one_N.mean(), other_N - other_N.mean()
    return float(one_N @ other_N / np.sqrt((one_N @ one_N) * (other_N @ other_N)))


def flattened(view: RgbdView) -> RgbdView:
    """Return a view in which every known depth is replaced by the median depth."""
    known_HW = view.depth_HW > 0
    depth_m = np.median(view.depth_HW[known_HW]) if known_HW.any() else 0.0
    return replace(view, depth_HW=np.where(known_HW, np.float32(depth_m), np.float32(0)))
