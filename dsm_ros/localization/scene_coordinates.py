"""Dense scene coordinates of one image, and their completion by its pose [paper 3.3.2].

The paper's Net_coords regresses what no keyframe shows from its surroundings. With the pose known, a cell lies on its
ray, and only its depth is left to find: where a coordinate contradicts the pose, the surface around it is continued.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pnp import reprojection_errors
from dsm_ros.geometry.pose import Pose44, invert, transform
from dsm_ros.geometry.rectify import OUTSIDE_PX
from dsm_ros.geometry.sampling import cell_centres
from dsm_ros.localization.matching import MatchedImage
from dsm_ros.localization.result import SceneCoordinates
from dsm_ros.network.cost_volume import MIN_DEPTH_M

CONTRADICTION = 2.0  # inlier limits, two cells: what lies nearer is the cell's own coordinate or a neighbour's
OUTSIDE = cv2.BORDER_CONSTANT  # nothing is known there
SPREADS_CELLS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
MIN_CELLS = 1.0  # that a depth is made of, by weight

Values = NDArray[np.float64]


def scene_coordinates(image: MatchedImage) -> SceneCoordinates:
    """Return the coordinates of a dense match on its grid; pixels and colours are those of the original image."""
    view, camera, match = image.view, image.query.camera, image.match
    height, width = match.confidence_HW.shape
    centres_P2 = cell_centres(width, height, camera.width_px, camera.height_px)
    pixels_HW2 = view.camera.project(camera.unproject(centres_P2)).reshape(height, width, 2).astype(np.float32)
    inside_HW2 = np.nan_to_num(pixels_HW2, nan=OUTSIDE_PX)  # cv2.remap takes NaN for some pixel
    colors_HW3 = cv2.remap(view.image_HW3, inside_HW2[..., 0], inside_HW2[..., 1], cv2.INTER_LINEAR)
    coords_P3 = transform(image.scene.map_T_local, match.coords_HW3.flatten(0, 1).cpu().numpy())
    confidence_HW = match.confidence_HW.cpu().numpy().astype(np.float32)
    return SceneCoordinates(coords_P3.reshape(height, width, 3), confidence_HW, pixels_HW2, colors_HW3)


def complete_surface(
    coordinates: SceneCoordinates, map_T_camera: Pose44, matched: Camera, max_error_px: float
) -> SceneCoordinates:
    """Return coordinates that all lie on their cells' rays: at their own depth, or else at that of cells around.

    matched: the pinhole camera of the grid. Confidence is 0.5 and more where a coordinate agrees with the pose, below
    that where it was made of its surroundings, and 0 where nothing near agrees.
    """
    height, width = coordinates.confidence_HW.shape
    centres_P2 = cell_centres(width, height, matched.width_px, matched.height_px)
    coords_P3 = coordinates.coords_HW3.reshape(-1, 3)
    depths_P = transform(invert(map_T_camera), coords_P3)[:, 2]
    near_P = reprojection_errors(centres_P2, coords_P3, matched, map_T_camera) < CONTRADICTION * max_error_px
    agrees_HW = (near_P & (depths_P > MIN_DEPTH_M)).reshape(height, width) & (coordinates.confidence_HW > 0)
    # The inverse depth of a plane is affine in the pixel: between cells of one wall its mean is right.
    inverse_HW = np.divide(1, depths_P.reshape(height, width), out=np.zeros((height, width)), where=agrees_HW)
    inverse_HW, nearness_HW = spread(inverse_HW, agrees_HW)
    with np.errstate(divide="ignore", invalid="ignore"):  # a cell of unknown depth is nowhere
        points_P3 = transform(map_T_camera, matched.unproject(centres_P2) / inverse_HW.reshape(-1, 1))
    confidence_HW = np.where(agrees_HW, 1 + coordinates.confidence_HW, nearness_HW) / 2
    coords_HW3 = points_P3.reshape(height, width, 3)
    return replace(coordinates, coords_HW3=coords_HW3, confidence_HW=confidence_HW.astype(np.float32))


def spread(values_HW: Values, known_HW: NDArray[np.bool_]) -> tuple[Values, Values]:
    """Return values with the unknown ones (0) filled by means of the nearest known ones, and how near these are, 0..1.

    Values and nearness stay 0 where no known value is within reach.
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
