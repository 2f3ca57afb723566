"""Oblique view of a map from above, without the walls that would hide the interior."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dsm_ros.evaluation.plots import ground_axes
from dsm_ros.geometry.pose import Pose44, transform

AZIMUTH_RAD, ELEVATION_RAD = np.radians(-60.0), np.radians(60.0)
MARGIN_SHARE = 0.04
BACKGROUND, PALE = 255, 5
SHIFT = 4  # number of fractional bits in OpenCV's drawing coordinates
FRUSTUM_3 = np.array([[0, 0, 0], [-0.8, -0.6, 1], [0.8, -0.6, 1], [0.8, 0.6, 1], [-0.8, 0.6, 1]])
FRUSTUM_EDGES = ((0, 1), (0, 2), (0, 3), (0, 4), (1, 2), (2, 3), (3, 4), (4, 1))

Image = NDArray[np.uint8]
Color = tuple[int, int, int]


@dataclass(frozen=True)
class MapView:
    """A parallel projection of the map frame to an image.

    view_R_map_33: rows are the image's right, the image's down and the direction away from the viewer. middle_3: map
    point (m) at the middle of the image. inside_3: middle of the keyframes (m), which the walls enclose.
    """

    view_R_map_33: NDArray[np.float64]
    middle_3: NDArray[np.float64]
    inside_3: NDArray[np.float64]
    pixels_per_m: float
    size_px: tuple[int, int]

    def empty(self) -> Image:
        """Return a white image (H, W, 3) of the size of the view."""
        width, height = self.size_px
        return np.full((height, width, 3), BACKGROUND, np.uint8)

    def draw_points(self, image: Image, points_N3: NDArray[np.float64], colors_N3: Image, size_px: int) -> None:
        """Draw points as squares, the nearest on top; points that face away are pale and below all other points."""
        pixels_N2, away_N = self._project(points_N3)
        faces_away_N = (self.inside_3 - points_N3) @ self.view_R_map_33[2] > 0
        shown_N3 = np.where(faces_away_N[:, None], BACKGROUND - (BACKGROUND - colors_N3.astype(int)) // PALE, colors_N3)
        order_N = np.lexsort((-away_N, ~faces_away_N))
        columns_N, rows_N = pixels_N2[order_N].round().astype(int).T
        for dx in range(size_px):
            for dy in range(size_px):
                x_N, y_N = columns_N + dx, rows_N + dy
                inside_N = (x_N >= 0) & (y_N >= 0) & (x_N < self.size_px[0]) & (y_N < self.size_px[1])
                image[y_N[inside_N], x_N[inside_N]] = shown_N3[order_N][inside_N]

    def draw_path(self, image: Image, points_N3: NDArray[np.float64], color: Color, width_px: int) -> None:
        """Draw a line through points (m)."""
        pixels_N2 = self._project(points_N3)[0]
        cv2.polylines(image, [_fixed(pixels_N2)], False, color, width_px, cv2.LINE_AA, SHIFT)

    def draw_dots(self, image: Image, points_N3: NDArray[np.float64], color: Color, radius_px: int) -> None:
        """Draw a dot at each point (m)."""
        for x, y in _fixed(self._project(points_N3)[0]).tolist():
            cv2.circle(image, (x, y), radius_px << SHIFT, color, -1, cv2.LINE_AA, SHIFT)

    def draw_camera(self, image: Image, map_T_camera: Pose44, color: Color, size_m: float, width_px: int) -> None:
        """Draw a camera as the pyramid of its field of view."""
        corners_52 = _fixed(self._project(transform(map_T_camera, FRUSTUM_3 * size_m))[0]).tolist()
        for start, end in FRUSTUM_EDGES:
            cv2.line(image, corners_52[start], corners_52[end], color, width_px, cv2.LINE_AA, SHIFT)

    def _project(self, points_N3: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the pixels (N, 2) of points and the distance (m) of each point from the viewer."""
        view_N3 = (points_N3 - self.middle_3) @ self.view_R_map_33.T
        return view_N3[:, :2] * self.pixels_per_m + np.array(self.size_px) / 2, view_N3[:, 2]


def _fixed(pixels_N2: NDArray[np.float64]) -> NDArray[np.int32]:
    return (pixels_N2 * (1 << SHIFT)).round().astype(np.int32)


def fit_view(points_N3: NDArray[np.float64], poses_N44: NDArray[np.float64], size_px: tuple[int, int]) -> MapView:
    """Return the view that shows nearly all points of a map as large as possible."""
    first, second = ground_axes(poses_N44)
    up_3, x_3, y_3 = np.zeros(3), np.eye(3)[first], np.eye(3)[second]
    up = 3 - first - second
    up_3[up] = -np.sign(poses_N44[:, up, 1].mean())
    aside_3 = np.cos(AZIMUTH_RAD) * x_3 + np.sin(AZIMUTH_RAD) * y_3
    away_3 = -(np.cos(ELEVATION_RAD) * aside_3 + np.sin(ELEVATION_RAD) * up_3)
    right_3 = np.cross(away_3, up_3)
    right_3 /= np.linalg.norm(right_3)
    view_R_map_33 = np.stack([right_3, np.cross(away_3, right_3), away_3])
    low_2, high_2 = np.percentile(points_N3 @ view_R_map_33[:2].T, (0.05, 99.95), axis=0)
    scale = float(((1 - 2 * MARGIN_SHARE) * np.array(size_px) / (high_2 - low_2)).min())
    depth = float(np.median(points_N3 @ away_3))
    middle_3 = view_R_map_33.T @ np.array([*(low_2 + high_2) / 2, depth])
    return MapView(view_R_map_33, middle_3, poses_N44[:, :3, 3].mean(0), scale, size_px)
