"""Camera intrinsics: projection, resizing and rectification.

Pixel (0, 0) is the centre of the first pixel, so an image of width W spans [-0.5, W - 0.5]. Only ``Camera.resized``
applies this convention to K.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.distortion import checked_model, distort, undistort

FRONT_M = 1e-6  # least depth of a point in front of the camera


@dataclass(frozen=True)
class Camera:
    """Intrinsics of one image: size, focal lengths and principal point in px, and lens distortion.

    distortion_model: none, plumb_bob, rational_polynomial or equidistant (also fisheye, kannala_brandt), as in ROS.
    distortion: the coefficients of the model in the order of ROS and OpenCV.
    Raises ValueError for an unknown model, a wrong number of coefficients, or impossible numbers.
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
        if min(self.width_px, self.height_px) <= 0:
            raise ValueError(f"the camera's size is {self.width_px}x{self.height_px} pixels; both must be positive")
        if not np.isfinite([self.fx, self.fy, self.cx, self.cy, *self.distortion]).all():
            raise ValueError("the camera's K or D contains NaN or infinity; calibrate the camera again")
        if min(self.fx, self.fy) <= 0:
            raise ValueError(f"the camera's focal lengths are {self.fx:g} and {self.fy:g} px; both must be positive")
        model = checked_model(self.distortion_model, self.distortion)
        object.__setattr__(self, "distortion_model", model)
        object.__setattr__(self, "distortion", tuple(map(float, self.distortion)) if model != "none" else ())

    @property
    def matrix_33(self) -> NDArray[np.float64]:
        """The camera matrix K, 3x3."""
        return np.array([[self.fx, 0, self.cx], [0, self.fy, self.cy], [0, 0, 1]], dtype=np.float64)

    def resized(self, width_px: int, height_px: int) -> Camera:
        """Return the camera of the image resampled to another size; the two axes may be scaled differently."""
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
        """Project points (N, 3; m, camera frame) to pixels (N, 2), NaN behind the camera or out of view."""
        points_N3 = np.asarray(points_N3, dtype=np.float64)
        depth_N1 = np.where(points_N3[:, 2:] > FRONT_M, points_N3[:, 2:], np.nan)
        xy_N2 = points_N3[:, :2] / depth_N1
        return distort(self.distortion_model, self.distortion, xy_N2) * (self.fx, self.fy) + (self.cx, self.cy)

    def unproject(self, pixels_N2: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the rays (N, 3; camera frame, z = 1) through pixels; NaN outside the camera's field of view."""
        xy_N2 = (np.asarray(pixels_N2, dtype=np.float64) - (self.cx, self.cy)) / (self.fx, self.fy)
        xy_N2 = undistort(self.distortion_model, self.distortion, xy_N2)
        return np.concatenate([xy_N2, np.ones((len(xy_N2), 1))], axis=1)
