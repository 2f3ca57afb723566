"""Search for image patches of keyframes in a query image, around the pixels where a pose expects them [method 7]."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.correspondences import Correspondences
from dsm_ros.geometry.patches import Float32, align
from dsm_ros.geometry.pose import Pose44, invert, transform
from dsm_ros.localization.matching import OCCLUSION_RATIO
from dsm_ros.network.cost_volume import MIN_DEPTH_M
from dsm_ros.scene_map.keyframe_patches import KeyframePatches

MARGIN_PX = 5.0  # width of the image border without patches, because the border would cut them off
AREA_RATIOS = (0.2, 5.0)  # limits of the area of a patch in the query image, relative to its area in the keyframe
OCCLUSION_CELL_PX = 16
MIN_CORRELATION = 0.8
MAX_LAST_STEP_PX = 0.3  # last step of a converged alignment

Array = NDArray[np.float64]


@dataclass(frozen=True)
class SearchedImage:
    """An image in which patches are searched, and the patches of the keyframes nearest to its camera.

    pyramid, camera: see ``grey_pyramid``.
    """

    pyramid: list[Float32]
    camera: Camera
    rig_T_camera: Pose44
    patches: KeyframePatches


@dataclass(frozen=True)
class ExpectedPatches:
    """Patches that should be visible in an image; pixels_N2, warp_N22: see ``align``."""

    patches: KeyframePatches
    pixels_N2: Array
    warp_N22: Array

    def parallax_deg_N(self, map_T_camera: Pose44) -> Array:
        """Return the angle between the rays from the keyframe and from a camera to each point."""
        points_N3 = self.patches.points_N3
        rays = [points_N3 - self.patches.centres_N3, points_N3 - map_T_camera[:3, 3]]
        a_N3, b_N3 = (ray_N3 / np.linalg.norm(ray_N3, axis=1, keepdims=True) for ray_N3 in rays)
        return np.asarray(np.degrees(np.arccos(np.clip((a_N3 * b_N3).sum(axis=1), -1, 1))))

    def rows(self, rows_M: NDArray[np.int64]) -> ExpectedPatches:
        """Return the patches in the given rows."""
        return ExpectedPatches(self.patches.rows(rows_M), self.pixels_N2[rows_M], self.warp_N22[rows_M])


def expected_patches(image: SearchedImage, map_T_camera: Pose44) -> ExpectedPatches:
    """Return the patches that should be visible in an image whose camera is at a pose."""
    camera, patches = image.camera, image.patches
    camera_N3 = transform(invert(map_T_camera), patches.points_N3)
    pixels_N2 = camera.project(camera_N3)
    warp_N22 = affine_warp(camera_N3, map_T_camera[:3, :3].T @ patches.tangents_N32, camera)
    size = np.array([camera.width_px, camera.height_px])
    with np.errstate(invalid="ignore"):
        inside_N = ((pixels_N2 >= MARGIN_PX) & (pixels_N2 < size - MARGIN_PX)).all(axis=1)
        area_N = np.linalg.det(warp_N22)  # negative if the camera is behind the surface
        inside_N &= (camera_N3[:, 2] > MIN_DEPTH_M) & (area_N > AREA_RATIOS[0]) & (area_N < AREA_RATIOS[1])
    rows_M = np.flatnonzero(inside_N)
    rows_M = rows_M[is_nearest(pixels_N2[rows_M], camera_N3[rows_M, 2])]
    return ExpectedPatches(patches, pixels_N2, warp_N22).rows(rows_M)


def affine_warp(camera_N3: Array, tangents_N32: Array, camera: Camera) -> Array:
    """Return d pixel / d pixel of the keyframe, (N, 2, 2), of points with their tangents in the camera frame."""
    depth_N11 = camera_N3[:, 2, None, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        slope_N22 = tangents_N32[:, :2] - camera_N3[:, :2, None] / depth_N11 * tangents_N32[:, 2:]
        return np.asarray(np.array([[camera.fx], [camera.fy]]) * slope_N22 / depth_N11)


def is_nearest(pixels_N2: Array, depth_N: Array) -> NDArray[np.bool_]:
    """Return which points are not occluded by a nearer point in the same cell of the image."""
    columns_N, rows_N = (pixels_N2 // OCCLUSION_CELL_PX).astype(int).T
    nearest_HW = np.full((rows_N.max(initial=0) + 1, columns_N.max(initial=0) + 1), np.inf)
    np.minimum.at(nearest_HW, (rows_N, columns_N), depth_N)
    return np.asarray(depth_N < OCCLUSION_RATIO * nearest_HW[rows_N, columns_N])


def follow(image: SearchedImage, expected: ExpectedPatches, levels: int) -> Correspondences:
    """Return the patches that are found in an image, on the finest ``levels`` of its pyramid.

    The confidence of a correspondence is the correlation of patch and image.
    """
    found = align(image.pyramid[:levels], expected.patches.levels[:levels], expected.pixels_N2, expected.warp_N22)
    right_N = (found.correlation_N > MIN_CORRELATION) & (found.last_step_N < MAX_LAST_STEP_PX)
    pixels_N2, points_N3 = found.pixels_N2.astype(np.float64), expected.patches.points_N3
    searched = Correspondences(pixels_N2, points_N3, found.correlation_N, image.camera, image.rig_T_camera)
    return searched.chosen(right_N)
