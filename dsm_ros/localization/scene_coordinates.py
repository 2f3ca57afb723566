"""Dense scene coordinates of one image, and their completion by the pose of the image [paper 3.3.2; method 11].

The paper's Net_coords regresses the coordinates that no keyframe shows from neighbouring cells. With a known pose, a
cell lies on its viewing ray and only its depth is unknown. If a matched coordinate contradicts the pose, the cell gets
the depth of the map's surface. Where the map has no surface, the depth is extrapolated from neighbouring cells.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.correspondences import Correspondences
from dsm_ros.geometry.pose import Pose44, invert, transform
from dsm_ros.geometry.rectify import OUTSIDE_PX
from dsm_ros.localization.matching import MatchedImage
from dsm_ros.localization.result import SceneCoordinates
from dsm_ros.network.cost_volume import MIN_DEPTH_M
from dsm_ros.network.surface import grid_camera, visible_depths

CONTRADICTION = 2.0  # in inlier limits, two cells; nearer coordinates belong to the cell or to a neighbour
OUTSIDE = cv2.BORDER_CONSTANT  # no depth is known outside the image
SPREADS_CELLS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
MAP_CONFIDENCE = 0.45  # of a depth from the map, which no match confirms
MIN_CELLS = 1.0  # minimum weight, in cells, of the known depths from which a depth is extrapolated

Values = NDArray[np.float64]


def scene_coordinates(image: MatchedImage, map_T_camera: Pose44 | None, max_error_px: float) -> SceneCoordinates:
    """Return the dense scene coordinates of an image, completed if the pose of the image is known.

    map_T_camera: the accepted pose; None returns the matched coordinates without completion. max_error_px: the inlier
    limit. Pixels and colours of the result are those of the original image.
    """
    view, cells = image.view, image.cells
    height, width = image.match.confidence_HW.shape
    rays_P3 = cells.camera.unproject(cells.pixels_N2)
    pixels_HW2 = view.camera.project(rays_P3).reshape(height, width, 2).astype(np.float32)
    inside_HW2 = np.nan_to_num(pixels_HW2, nan=OUTSIDE_PX)  # cv2.remap reads an arbitrary pixel for NaN
    colors_HW3 = cv2.remap(view.image_HW3, inside_HW2[..., 0], inside_HW2[..., 1], cv2.INTER_LINEAR)
    coords_HW3 = cells.points_N3.reshape(height, width, 3)
    confidence_HW = cells.confidence_N.reshape(height, width)
    if map_T_camera is not None:
        map_depths_HW = map_depths(image, map_T_camera)
        coords_HW3, confidence_HW = complete_surface(cells, rays_P3, map_depths_HW, map_T_camera, max_error_px)
    return SceneCoordinates(coords_HW3, confidence_HW, pixels_HW2, colors_HW3)


def map_depths(image: MatchedImage, map_T_camera: Pose44) -> Values:
    """Return the depth (H, W; m) of the scene's surface in each cell of a camera at a pose; 0 without a surface.

    A guided match has already searched around this surface, so its cells that contradict the pose show something else,
    and all depths are 0.
    """
    height, width = image.match.confidence_HW.shape
    if image.is_guided:
        return np.zeros((height, width))
    surface, camera_T_local = image.scene.levels[-1], invert(map_T_camera) @ image.scene.map_T_local
    grid = grid_camera(surface.coords_N3HW, image.query.camera, camera_T_local, height, width)
    depths_HW = visible_depths(surface, grid).amin(0).cpu().numpy().astype(np.float64)
    return np.where(np.isfinite(depths_HW), depths_HW, 0.0)


def complete_surface(
    cells: Correspondences, rays_P3: Values, map_depths_HW: Values, map_T_camera: Pose44, max_error_px: float
) -> tuple[Values, NDArray[np.float32]]:
    """Return coordinates (H, W, 3) that all lie on the rays of their cells, and their confidence (H, W).

    cells: correspondences of all P = H * W cells, row by row. rays_P3: viewing rays of the cells, camera frame, z = 1.
    map_depths_HW: see ``map_depths``. A cell whose coordinate agrees with the pose keeps its depth. Any other cell gets
    the depth of the map, or a depth that is extrapolated from the neighbouring cells. Confidence is at least 0.5 for a
    coordinate that agrees with the pose, below 0.5 for any other coordinate, and 0 if no depth is known nearby.
    """
    with np.errstate(invalid="ignore"):  # no warning for a point at infinity, which contradicts the pose
        points_P3 = transform(invert(map_T_camera), cells.points_N3)
        errors_P = np.linalg.norm(cells.camera.project(points_P3) - cells.pixels_N2, axis=1)
    size, depths_P = map_depths_HW.shape, points_P3[:, 2]
    agrees_P = (errors_P < CONTRADICTION * max_error_px) & (depths_P > MIN_DEPTH_M) & (cells.confidence_N > 0)
    depths_P = np.where(agrees_P, depths_P, map_depths_HW.ravel())
    known_P = depths_P > 0
    # The inverse depth of a plane is affine in the pixel, so the mean over the cells of one wall is correct.
    inverse_P = np.divide(1, depths_P, out=np.zeros(len(depths_P)), where=known_P)
    inverse_HW, nearness_HW = spread(inverse_P.reshape(size), known_P.reshape(size))
    with np.errstate(divide="ignore", invalid="ignore"):  # a cell of unknown depth has no coordinate
        coords_P3 = transform(map_T_camera, rays_P3 / inverse_HW.reshape(-1, 1))
    completed_P = np.where(known_P, MAP_CONFIDENCE, nearness_HW.ravel() / 2)
    confidence_P = np.where(agrees_P, (1 + cells.confidence_N) / 2, completed_P)
    return coords_P3.reshape(*size, 3), confidence_P.reshape(size).astype(np.float32)


def spread(values_HW: Values, known_HW: NDArray[np.bool_]) -> tuple[Values, Values]:
    """Return values with unknown values (0) replaced by means of the nearest known values, and a nearness of 0..1.

    Nearness is 1 for a known value, and falls with the distance to the known values for a replaced value. Values and
    nearness are 0 if no known value is within reach.
    """
    filled_HW, nearness_HW = values_HW.copy(), known_HW.astype(np.float64)
    open_HW = ~known_HW
    sums_HW2 = np.dstack([values_HW, nearness_HW])
    for level, spread_cells in enumerate(SPREADS_CELLS):
        mean_HW, weight_HW = np.moveaxis(cv2.GaussianBlur(sums_HW2, (0, 0), spread_cells, borderType=OUTSIDE), 2, 0)
        found_HW = open_HW & (weight_HW * 2 * np.pi * spread_cells**2 > MIN_CELLS)
        filled_HW[found_HW] = mean_HW[found_HW] / weight_HW[found_HW]
        nearness_HW[found_HW] = weight_HW[found_HW] / 2**level
        open_HW &= ~found_HW
        if not open_HW.any():
            break
    return filled_HW, nearness_HW
