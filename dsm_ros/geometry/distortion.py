"""Lens distortion of normalised coordinates (x / z, y / z); NaN where the model is no longer one-to-one."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import NDArray

OPENCV_SIZES = (4, 5, 8, 12, 14)  # plumb_bob is rational_polynomial with fewer coefficients
MODEL_SIZES = {"none": (0,), "plumb_bob": OPENCV_SIZES, "rational_polynomial": OPENCV_SIZES, "equidistant": (4,)}
ALIASES = {
    "": "none",
    "pinhole": "none",
    "radtan": "plumb_bob",
    "fisheye": "equidistant",
    "kannala_brandt": "equidistant",
    "kannala_brandt4": "equidistant",
}
WIDEST_RAD = np.deg2rad(89)
STEPS = 4096
MAX_ITERATIONS = 50
TOLERANCE = 1e-5

Coefficients = tuple[float, ...]
Array = NDArray[np.float64]


def checked_model(name: str, coefficients: Coefficients) -> str:
    """Return the distortion model for a name in a calibration file, or "none" if all coefficients are 0.

    Raises ValueError for an unknown model or a wrong number of coefficients.
    """
    key = name.strip().lower().replace("-", "_").replace(" ", "_")
    model = ALIASES.get(key, key)
    if model not in MODEL_SIZES:
        raise ValueError(f"unknown distortion model '{name}'; calibrate with one of {', '.join(MODEL_SIZES)}")
    if model != "equidistant" and not any(coefficients):
        return "none"
    if len(coefficients) not in MODEL_SIZES[model]:
        sizes = " or ".join(map(str, MODEL_SIZES[model]))
        raise ValueError(
            f"distortion model {model} takes {sizes} coefficients, not {len(coefficients)}; calibrate again"
        )
    return model


def distort(model: str, coefficients: Coefficients, xy_N2: Array) -> Array:
    """Return the distorted coordinates (N, 2) of normalised coordinates (N, 2), NaN beyond ``valid_radius``."""
    if model == "none":
        return xy_N2
    radius_N = _radii(xy_N2)
    inside_N2 = np.where((radius_N < valid_radius(model, coefficients))[:, None], xy_N2, np.nan)
    if model == "equidistant":
        return _with_radius(inside_N2, _radial(model, coefficients, radius_N))
    return _tilted(_opencv(coefficients, inside_N2), *_padded(coefficients)[12:])


def undistort(model: str, coefficients: Coefficients, xy_N2: Array) -> Array:
    """Return the normalised coordinates (N, 2) of distorted coordinates (N, 2), NaN where the model has no inverse.

    A table inverts the radial part R, and iterating x = R^-1(y - (D(x) - R(x))) inverts the whole distortion D. The
    iteration converges where R changes faster than D - R. cv2.undistortPoints fails or silently returns wrong values
    near the valid radius.
    """
    if model == "none" or not len(xy_N2):
        return xy_N2
    straight_T, radial_T = _radial_table(model, coefficients)
    found_N2, rest_N2 = xy_N2, np.zeros_like(xy_N2)
    for _ in range(MAX_ITERATIONS):
        target_N2 = xy_N2 - rest_N2
        radius_N = _radii(target_N2)
        # Where D adds to R, the first target may lie beyond the table, which then gives its last radius.
        found_N2 = _with_radius(target_N2, np.interp(radius_N, radial_T, straight_T))
        error_N2 = distort(model, coefficients, found_N2) - xy_N2
        if not (np.abs(error_N2) > 1e-9).any():
            break
        rest_N2 = rest_N2 + error_N2
    return np.where(np.abs(error_N2).max(axis=1, keepdims=True) < TOLERANCE, found_N2, np.nan)


@lru_cache(maxsize=32)
def valid_radius(model: str, coefficients: Coefficients) -> float:
    """Return the radius (tangent of the angle) where the distorted radius stops growing, at most 89 degrees."""
    widest = float(np.tan(WIDEST_RAD))
    if model == "equidistant":
        return float(np.tan(min(_first_root(_fisheye(coefficients).deriv()), WIDEST_RAD)))
    above, below = _ratio(coefficients)
    square = Polynomial([0, 1])
    slope = above * below + 2 * square * (above.deriv() * below - above * below.deriv())
    return min(np.sqrt(min(_first_root(slope), _first_root(below))), widest)


@lru_cache(maxsize=32)
def _radial_table(model: str, coefficients: Coefficients) -> tuple[Array, Array]:
    last_rad = np.arctan(valid_radius(model, coefficients))
    straight_T = np.tan(np.linspace(0, last_rad, STEPS, endpoint=False))
    return straight_T, _radial(model, coefficients, straight_T)


def _radial(model: str, coefficients: Coefficients, radius_N: Array) -> Array:
    if model == "equidistant":
        return _fisheye(coefficients)(np.arctan(radius_N))
    above, below = _ratio(coefficients)
    return radius_N * above(radius_N**2) / below(radius_N**2)


def _opencv(coefficients: Coefficients, xy_N2: Array) -> Array:
    """Apply the radial, tangential and thin prism distortion of OpenCV, many times faster than OpenCV."""
    _, _, p1, p2, _, _, _, _, s1, s2, s3, s4, _, _ = _padded(coefficients)
    above, below = _ratio(coefficients)
    x_N, y_N = xy_N2.T
    square_N, both_N = x_N**2 + y_N**2, 2 * x_N * y_N
    scale_N = above(square_N) / below(square_N)
    u_N = x_N * scale_N + p1 * both_N + p2 * (square_N + 2 * x_N**2) + (s1 + s2 * square_N) * square_N
    v_N = y_N * scale_N + p2 * both_N + p1 * (square_N + 2 * y_N**2) + (s3 + s4 * square_N) * square_N
    return np.stack([u_N, v_N], axis=1)


def _tilted(xy_N2: Array, about_x_rad: float, about_y_rad: float) -> Array:
    """Return points projected onto a tilted sensor."""
    if not (about_x_rad or about_y_rad):
        return xy_N2
    (cx, sx), (cy, sy) = ((np.cos(angle), np.sin(angle)) for angle in (about_x_rad, about_y_rad))
    turn_33 = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]]) @ np.array([[1, 0, 0], [0, cx, sx], [0, -sx, cx]])
    along_33 = np.array([[turn_33[2, 2], 0, -turn_33[0, 2]], [0, turn_33[2, 2], -turn_33[1, 2]], [0, 0, 1]])
    points_N3 = np.column_stack([xy_N2, np.ones(len(xy_N2))]) @ (along_33 @ turn_33).T
    return points_N3[:, :2] / points_N3[:, 2:]


def _radii(xy_N2: Array) -> Array:
    return np.hypot(xy_N2[:, 0], xy_N2[:, 1])


def _with_radius(xy_N2: Array, radius_N: Array) -> Array:
    return xy_N2 * (radius_N / np.maximum(_radii(xy_N2), 1e-12))[:, None]


def _fisheye(coefficients: Coefficients) -> Polynomial:
    """Return the distorted radius as a polynomial in the angle from the optical axis (rad)."""
    k1, k2, k3, k4 = coefficients
    return Polynomial([0, 1, 0, k1, 0, k2, 0, k3, 0, k4])


def _ratio(coefficients: Coefficients) -> tuple[Polynomial, Polynomial]:
    """Return the numerator and denominator, polynomials in the squared radius, of the radial scale."""
    k1, k2, _, _, k3, k4, k5, k6 = _padded(coefficients)[:8]
    return Polynomial([1, k1, k2, k3]), Polynomial([1, k4, k5, k6])


def _padded(coefficients: Coefficients) -> Coefficients:
    return (*coefficients, *[0.0] * (OPENCV_SIZES[-1] - len(coefficients)))


def _first_root(polynomial: Polynomial) -> float:
    roots = polynomial.trim(1e-12).roots()  # a tiny leading coefficient would overflow
    real = roots.real[(np.abs(roots.imag) < 1e-9) & (roots.real > 0)]
    return float(real.min()) if len(real) else np.inf
