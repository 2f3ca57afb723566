"""Textured points of a keyframe on smooth surfaces, each with the image patches around the point [method 7]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.patches import LEVELS, PatchLevel, cut_patches, grey_pyramid, joined_patches
from dsm_ros.geometry.pose import transform
from dsm_ros.geometry.rectify import rectify_depth
from dsm_ros.scene_map.keyframe import Keyframe

LONG_SIDE_PX = 512
CELL_PX = 24  # side of the cells of a grid with at most one point in each cell, which spreads the points over the image
CORNER_BLOCK_PX = 3
CORNER_QUALITY = 0.001  # minimum corner response, relative to the best corner of the image
BORDER_PX = 10
PLANE_RADIUS_PX = 6  # radius of the surface to which a plane is fitted
PLANE_STEP_PX = 2
SAME_SURFACE = 0.06  # maximum relative difference from the inverse depth of the centre
MIN_SURFACE_SHARE = 0.4  # minimum share of the depths around a point that belong to its surface
MAX_ROUGHNESS = 0.02  # maximum standard deviation of the depths from the plane, relative to the depth

Array = NDArray[np.float64]


@dataclass(frozen=True)
class KeyframePatches:
    """Points of a keyframe with their surface and their patches.

    points_N3: metres, map frame. centres_N3: the position of the keyframe's camera, for each point. tangents_N32: d
    point / d pixel of the keyframe on the plane around the point (m/px, map frame). levels: patches at each pyramid
    level, full size first.
    """

    points_N3: Array
    centres_N3: Array
    tangents_N32: Array
    levels: tuple[PatchLevel, ...]

    @property
    def nbytes(self) -> int:
        """The size of the points and the patches in memory."""
        points_bytes = self.points_N3.nbytes + self.centres_N3.nbytes + self.tangents_N32.nbytes
        return points_bytes + sum(level.samples_NP.nbytes + level.gain_N2P.nbytes for level in self.levels)

    def __len__(self) -> int:
        return len(self.points_N3)

    def rows(self, rows_M: NDArray[np.int64]) -> KeyframePatches:
        """Return the patches in the given rows."""
        levels = tuple(level.rows(rows_M) for level in self.levels)
        return KeyframePatches(self.points_N3[rows_M], self.centres_N3[rows_M], self.tangents_N32[rows_M], levels)


def all_patches(keyframes: Sequence[KeyframePatches]) -> KeyframePatches:
    """Concatenate the patches of several keyframes."""
    points_N3 = np.concatenate([np.empty((0, 3)), *(each.points_N3 for each in keyframes)])
    centres_N3 = np.concatenate([np.empty((0, 3)), *(each.centres_N3 for each in keyframes)])
    tangents_N32 = np.concatenate([np.empty((0, 3, 2)), *(each.tangents_N32 for each in keyframes)])
    levels = tuple(joined_patches([each.levels[level] for each in keyframes]) for level in range(LEVELS))
    return KeyframePatches(points_N3, centres_N3, tangents_N32, levels)


def keyframe_patches(keyframe: Keyframe) -> KeyframePatches:
    """Return the patches of a keyframe, cut from its image and depth at a width of at most 512 px."""
    pyramid, camera = grey_pyramid(keyframe.image_HW3(), keyframe.camera, LONG_SIDE_PX)
    depth_HW = rectify_depth(keyframe.depth_HW(), keyframe.camera, camera)
    pixels_N2 = _corners(pyramid[0], depth_HW)
    plane_N3, smooth_N = _planes(depth_HW, pixels_N2)
    pixels_M2, plane_M3 = pixels_N2[smooth_N], plane_N3[smooth_N]
    rays_M3 = camera.unproject(pixels_M2)
    points_M3 = transform(keyframe.map_T_camera, rays_M3 / plane_M3[:, 2:])
    tangents_M32 = keyframe.map_T_camera[:3, :3] @ _tangents(rays_M3, plane_M3, camera)
    centres_M3 = np.broadcast_to(keyframe.map_T_camera[:3, 3], points_M3.shape)
    return KeyframePatches(points_M3, centres_M3, tangents_M32, cut_patches(pyramid, pixels_M2))


def _corners(grey_HW: NDArray[np.float32], depth_HW: NDArray[np.float32]) -> Array:
    """Return the pixel of the best corner with depth in each cell that contains such a corner, away from the border."""
    response_HW = cv2.cornerMinEigenVal(grey_HW, CORNER_BLOCK_PX)
    response_HW[depth_HW <= 0] = 0
    for border in (np.s_[:BORDER_PX], np.s_[-BORDER_PX:], np.s_[:, :BORDER_PX], np.s_[:, -BORDER_PX:]):
        response_HW[border] = 0
    height, width = (side // CELL_PX for side in response_HW.shape)
    cells_HCWC = response_HW[: height * CELL_PX, : width * CELL_PX].reshape(height, CELL_PX, width, CELL_PX)
    cells_NP = cells_HCWC.swapaxes(1, 2).reshape(height * width, CELL_PX**2)
    best_N = cells_NP.argmax(axis=1)
    corner_N = cells_NP.max(axis=1) > CORNER_QUALITY * response_HW.max()
    cell_v_N, cell_u_N = np.divmod(np.arange(height * width), width)
    v_N, u_N = np.divmod(best_N, CELL_PX)
    return np.stack([cell_u_N * CELL_PX + u_N, cell_v_N * CELL_PX + v_N], axis=1)[corner_N].astype(np.float64)


def _planes(depth_HW: NDArray[np.float32], pixels_N2: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Return the plane around each pixel, (a, b, c) of inverse depth = a du + b dv + c (1/m), and whether it fits.

    The inverse depth of a plane is affine in the pixel.
    """
    side = np.arange(-PLANE_RADIUS_PX, PLANE_RADIUS_PX + 1, PLANE_STEP_PX)
    du_S, dv_S = (grid.ravel() for grid in np.meshgrid(side, side))
    u_N, v_N = np.rint(pixels_N2).astype(int).T
    depth_NS = depth_HW[v_N[:, None] + dv_S, u_N[:, None] + du_S].astype(np.float64)
    inverse_NS = np.divide(1, depth_NS, out=np.zeros_like(depth_NS), where=depth_NS > 0)
    centre_N1 = 1 / depth_HW[v_N, u_N, None].astype(np.float64)
    same_NS = (np.abs(inverse_NS / centre_N1 - 1) < SAME_SURFACE).astype(np.float64)
    terms_S3 = np.stack([du_S, dv_S, np.ones(len(du_S))], axis=1)
    normal_N33 = (terms_S3.T * same_NS[:, None]) @ terms_S3 + 1e-6 * np.eye(3)
    plane_N3 = np.linalg.solve(normal_N33, ((same_NS * inverse_NS) @ terms_S3)[..., None])[..., 0]
    off_NS = same_NS * (plane_N3 @ terms_S3.T - inverse_NS)
    count_N = same_NS.sum(axis=1)
    roughness_N = np.sqrt((off_NS**2).sum(axis=1) / count_N) / centre_N1[:, 0]
    return plane_N3, (count_N >= MIN_SURFACE_SHARE * len(du_S)) & (roughness_N < MAX_ROUGHNESS)


def _tangents(rays_N3: Array, plane_N3: Array, camera: Camera) -> Array:
    """Return d point / d pixel, (N, 3, 2) in the camera frame, of points ray / c on planes."""
    c_N11 = plane_N3[:, 2, None, None]
    along_32 = np.array([[1 / camera.fx, 0], [0, 1 / camera.fy], [0, 0]])
    return np.asarray(along_32 / c_N11 - rays_N3[:, :, None] * plane_N3[:, None, :2] / c_N11**2)
