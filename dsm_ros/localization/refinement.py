"""Photometric refinement of a verified pose on image patches of the nearest keyframes [method 7].

The cells of a dense match are 8 px wide, so a pose estimated on cells is precise to a few pixels. The refinement finds
patches of keyframes in the query image to a fraction of a pixel, around the pixels where the pose expects them, and
fits the pose to the points of the found patches.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.correspondences import Correspondences
from dsm_ros.geometry.patches import Float32, PatchLevel, align, grey_pyramid
from dsm_ros.geometry.pnp import refine_pnp, reprojection_errors
from dsm_ros.geometry.pose import Pose44, invert, transform
from dsm_ros.geometry.rig_pnp import refine_rig_pose
from dsm_ros.localization.view import View
from dsm_ros.network.cost_volume import MIN_DEPTH_M
from dsm_ros.scene_map.keyframe_patches import LONG_SIDE_PX, KeyframePatches
from dsm_ros.scene_map.scene_map import SceneMap

KEYFRAMES = 3  # nearest to a camera, whose patches are searched in its image
ROUND_LEVELS = (3, 2)  # pyramid levels of each round; the second round starts near the right pixels
MARGIN_PX = 5.0  # of the image, where patches would be cut off
AREA_RATIOS = (0.2, 5.0)  # of a patch in the query image to the patch in the keyframe
OCCLUSION_CELL_PX = 16
OCCLUSION_RATIO = 1.1  # a point further away than this ratio times the nearest point in its cell is occluded
MIN_CORRELATION = 0.7
MAX_LAST_STEP_PX = 0.3  # of a converged alignment
MAX_SHIFT_PX = 24.0
MAX_ERROR_PX = 6.0  # inlier limit
LOSS_SCALE_PX = 0.5
MIN_FOLLOWED = 30  # patches of all images, for a pose

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Refinement:
    """A refined pose and its support by patches of keyframes.

    followed: the patches found in each image within ``MAX_ERROR_PX`` of the pose. followed_ratio: the share of these
    patches among those expected in the images. residual_px: the median reprojection error of the followed patches.
    """

    map_T_rig: Pose44
    followed: tuple[Correspondences, ...]
    followed_ratio: float
    residual_px: float


@dataclass(frozen=True)
class Expected:
    """Patches of keyframes that should be visible in an image.

    points_N3: metres, map frame. pixels_N2, warp_N22: as of ``align``. levels: full size first.
    """

    points_N3: Array
    pixels_N2: Array
    warp_N22: Array
    levels: tuple[PatchLevel, ...]


class Refiner:
    """Refines poses with the keyframes of one map."""

    def __init__(self, scene_map: SceneMap) -> None:
        self._scene_map = scene_map

    def refine(self, views: Sequence[View], map_T_rig: Pose44) -> Refinement | None:
        """Return a pose refined on all images of a moment together, None where too few patches are found in them.

        Raises DsmError for several views without PoseLib.
        """
        images = [grey_pyramid(view.image_HW3, view.camera, LONG_SIDE_PX) for view in views]
        patches = [self._nearest_patches(map_T_rig @ view.rig_T_camera) for view in views]
        found = None
        for levels in ROUND_LEVELS:
            start = found.map_T_rig if found else map_T_rig
            expected = [
                expected_patches(of_view, camera, start @ view.rig_T_camera)
                for of_view, (_, camera), view in zip(patches, images, views, strict=True)
            ]
            followed = [
                follow(of_view, pyramid[:levels], camera, view.rig_T_camera)
                for of_view, (pyramid, camera), view in zip(expected, images, views, strict=True)
            ]
            found = fit_pose(followed, start, sum(len(of_view.points_N3) for of_view in expected))
            if found is None:
                return None
        return found

    def _nearest_patches(self, map_T_camera: Pose44) -> list[KeyframePatches]:
        return self._scene_map.patches(self._scene_map.nearest(map_T_camera, KEYFRAMES))


def expected_patches(keyframes: Sequence[KeyframePatches], camera: Camera, map_T_camera: Pose44) -> Expected:
    """Return the patches of keyframes that a camera (pinhole) at a pose should see without occlusion."""
    points_N3 = np.concatenate([np.empty((0, 3)), *(keyframe.points_N3 for keyframe in keyframes)])
    tangents_N32 = np.concatenate([np.empty((0, 3, 2)), *(keyframe.tangents_N32 for keyframe in keyframes)])
    camera_N3 = transform(invert(map_T_camera), points_N3)
    pixels_N2 = camera.project(camera_N3)
    warp_N22 = affine_warp(camera_N3, map_T_camera[:3, :3].T @ tangents_N32, camera)
    size = np.array([camera.width_px, camera.height_px])
    with np.errstate(invalid="ignore"):
        inside_N = ((pixels_N2 >= MARGIN_PX) & (pixels_N2 < size - MARGIN_PX)).all(axis=1)
        area_N = np.linalg.det(warp_N22)  # negative where the camera sees the back of a surface
        kept_N = inside_N & (camera_N3[:, 2] > MIN_DEPTH_M) & (area_N > AREA_RATIOS[0]) & (area_N < AREA_RATIOS[1])
    rows_M = np.flatnonzero(kept_N)
    rows_M = rows_M[is_nearest(pixels_N2[rows_M], camera_N3[rows_M, 2])]
    levels = tuple(PatchLevel.joined(of_level).rows(rows_M) for of_level in zip(*(k.levels for k in keyframes)))
    return Expected(points_N3[rows_M], pixels_N2[rows_M], warp_N22[rows_M], levels)


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


def follow(expected: Expected, pyramid: Sequence[Float32], camera: Camera, rig_T_camera: Pose44) -> Correspondences:
    """Return the patches that are found in an image; the confidence of each is its correlation."""
    found = align(pyramid, expected.levels[: len(pyramid)], expected.pixels_N2, expected.warp_N22)
    shift_N = np.linalg.norm(found.pixels_N2 - expected.pixels_N2, axis=1)
    right_N = (found.correlation_N > MIN_CORRELATION) & (found.last_step_N < MAX_LAST_STEP_PX)
    pixels_N2 = found.pixels_N2.astype(np.float64)
    all_found = Correspondences(pixels_N2, expected.points_N3, found.correlation_N, camera, rig_T_camera)
    return all_found.chosen(right_N & (shift_N < MAX_SHIFT_PX))


def fit_pose(followed: Sequence[Correspondences], map_T_rig: Pose44, expected: int) -> Refinement | None:
    """Return the pose near map_T_rig that fits the followed patches of all images, None where they are too few.

    expected: the number of patches that were searched.
    """
    if sum(map(len, followed)) < MIN_FOLLOWED:
        return None
    if len(followed) == 1:
        (one,) = followed
        start = map_T_rig @ one.rig_T_camera
        map_T_camera = refine_pnp(start, one.pixels_N2, one.points_N3, one.camera, MAX_ERROR_PX, LOSS_SCALE_PX)
        refined = None if map_T_camera is None else map_T_camera @ invert(one.rig_T_camera)
    else:
        refined = refine_rig_pose(map_T_rig, followed, MAX_ERROR_PX, LOSS_SCALE_PX)
    if refined is None:
        return None
    errors = [_errors(one, refined) for one in followed]
    inliers = tuple(one.chosen(errors_N < MAX_ERROR_PX) for one, errors_N in zip(followed, errors, strict=True))
    errors_N = np.concatenate(errors)
    near_N = errors_N < MAX_ERROR_PX
    if near_N.sum() < MIN_FOLLOWED:
        return None
    return Refinement(refined, inliers, int(near_N.sum()) / expected, float(np.median(errors_N[near_N])))


def _errors(one: Correspondences, map_T_rig: Pose44) -> Array:
    return reprojection_errors(one.pixels_N2, one.points_N3, one.camera, map_T_rig @ one.rig_T_camera)
