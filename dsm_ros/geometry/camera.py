"""Camera intrinsics: projection, resizing and rectification.

Convention: pixel (0, 0) is the centre of the first pixel, so an image of width W spans
[-0.5, W - 0.5]; ``Camera.resized`` is the one place that turns this into a rule for K.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

DISTORTION_SIZES = {"none": (0,), "plumb_bob": (4, 5), "rational_polynomial": (8,), "equidistant": (4,)}
DISTORTION_ALIASES = {"": "none", "pinhole": "none", "fisheye": "equidistant", "radtan": "plumb_bob"}


@dataclass(frozen=True)
class Camera:
    """Intrinsics of one image: size and focal lengths in px, distortion as ROS names it.

    ``distortion_model`` is none, plumb_bob, rational_polynomial or equidistant (alias fisheye);
    ``distortion`` holds that model's coefficients in the order of ROS and OpenCV.
    Raises ValueError for an unknown model or impossible numbers.
    """

    width_px: int
    height_px: int
    fx: float
    fy: float
    cx: float
    cy: float
    distortion_model: str = "none"
    distortion: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        model = DISTORTION_ALIASES.get(self.distortion_model, self.distortion_model)
        if model not in DISTORTION_SIZES:
            raise ValueError(f"unknown distortion model '{model}'; known: {', '.join(DISTORTION_SIZES)}")
        numbers = (self.fx, self.fy, self.cx, self.cy, *self.distortion)
        if not np.isfinite(numbers).all() or min(self.fx, self.fy) <= 0 or min(self.width_px, self.height_px) <= 0:
            raise ValueError("camera needs a positive size, positive focal lengths and finite numbers")
        if not any(self.distortion):
            model = "none"
        elif len(self.distortion) not in DISTORTION_SIZES[model]:
            raise ValueError(f"{model} takes {DISTORTION_SIZES[model]} coefficients, not {len(self.distortion)}")
        object.__setattr__(self, "distortion_model", model)
        object.__setattr__(self, "distortion", tuple(map(float, self.distortion)) if model != "none" else ())

    @property
    def matrix_33(self) -> NDArray[np.float64]:
        """K, 3x3."""
        return np.array([[self.fx, 0, self.cx], [0, self.fy, self.cy], [0, 0, 1]], dtype=np.float64)

    def resized(self, width_px: int, height_px: int) -> Camera:
        """Return the camera of the same view resampled to another size, each axis on its own."""
        sx, sy = width_px / self.width_px, height_px / self.height_px
        return replace(
            self,
            width_px=width_px,
            height_px=height_px,
            fx=self.fx * sx,
            fy=self.fy * sy,
            cx=(self.cx + 0.5) * sx - 0.5,
            cy=(self.cy + 0.5) * sy - 0.5,
        )

    def cropped(self, left_px: int, top_px: int, width_px: int, height_px: int) -> Camera:
        """Return the camera of a rectangle cut out of the image."""
        return replace(self, width_px=width_px, height_px=height_px, cx=self.cx - left_px, cy=self.cy - top_px)

    def undistorted(self) -> Camera:
        """Return the pinhole camera with the same K."""
        return replace(self, distortion_model="none", distortion=())

    def project(self, points_N3: NDArray[np.float64]) -> NDArray[np.float64]:
        """Project points in the camera frame (m) to pixels (N, 2); NaN at or behind the camera plane."""
        points_N3 = np.asarray(points_N3, dtype=np.float64)
        front_N = points_N3[:, 2] > 1e-6
        pixels_N2 = np.full((len(points_N3), 2), np.nan)
        if front_N.any():
            pixels_N2[front_N] = self._project_in_front(points_N3[front_N])
        return pixels_N2

    def _project_in_front(self, points_N3: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.distortion_model == "none":
            return points_N3[:, :2] / points_N3[:, 2:] * (self.fx, self.fy) + (self.cx, self.cy)
        zero = np.zeros(3)
        project = cv2.fisheye.projectPoints if self.distortion_model == "equidistant" else cv2.projectPoints
        coefficients = np.array(self.distortion)
        args = (points_N3[:, None], zero, zero, self.matrix_33, coefficients)
        return np.asarray(project(*args)[0], dtype=np.float64).reshape(-1, 2)

    def unproject(self, pixels_N2: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the rays (N, 3) in the camera frame with z = 1 through the given pixels."""
        pixels_N2 = np.asarray(pixels_N2, dtype=np.float64)
        if self.distortion_model == "none":
            xy_N2 = (pixels_N2 - (self.cx, self.cy)) / (self.fx, self.fy)
        elif self.distortion_model == "equidistant":
            xy_N2 = cv2.fisheye.undistortPoints(pixels_N2[:, None], self.matrix_33, np.array(self.distortion))[:, 0]
        else:
            criteria = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 50, 1e-10)
            xy_N2 = cv2.undistortPoints(
                pixels_N2[:, None], self.matrix_33, np.array(self.distortion), None, None, None, criteria
            )[:, 0]
        return np.concatenate([xy_N2, np.ones((len(xy_N2), 1))], axis=1)
