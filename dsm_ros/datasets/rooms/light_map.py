"""Light maps of the floor, the walls and the ceiling of a living room, with soft shadows, dark corners and sunlight."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from dsm_ros.datasets.rooms.box import FACES
from dsm_ros.datasets.rooms.table import OTHER_AXES
from dsm_ros.datasets.rooms.texture import TexturePyramid, build_pyramid

SIDE_TEXELS = 256
SHADOW_LIMITS_M = (
    0.0,
    0.04,
    0.15,
    0.35,
    0.8,
)  # limits of distances from a face; boxes between two limits share one blur
SHADOW_STRENGTHS = (0.45, 0.3, 0.22, 0.12)
CORNER_STRENGTH, CORNER_M = 0.2, 0.25
BRIGHTNESS = 1.2
SUN = (1.45, 1.38, 1.2)  # light in a sunny patch of the floor, relative to the light beside the patch


def build_light_map(
    size_3: NDArray[np.float64], corners_B83: NDArray[np.float64], sunny: Sequence[NDArray[np.float64]]
) -> TexturePyramid:
    """Return textures with the light on the six faces of a room (0..5) and on everything else (6).

    A texel is half of the factor by which a colour is multiplied. corners_B83: corners of the boxes in the room (m).
    sunny: polygons (P, 2) of sunlight on the floor (m).
    """
    faces = [_face_light(size_3, corners_B83, face) for face in range(FACES)]
    faces[4] = _with_sun(faces[4], size_3[:2], sunny)
    faces.append(np.ones_like(faces[0]))
    return build_pyramid([torch.from_numpy(light * BRIGHTNESS / 2).permute(2, 0, 1) for light in faces])


def _face_light(size_3: NDArray[np.float64], corners_B83: NDArray[np.float64], face: int) -> NDArray[np.float32]:
    axis, others = face // 2, list(OTHER_AXES[face // 2])
    span_2 = size_3[others]
    reach_B8 = corners_B83[:, :, axis] if face % 2 == 0 else size_3[axis] - corners_B83[:, :, axis]
    gap_B = reach_B8.min(1)
    light = _corners(span_2)
    for i, strength in enumerate(SHADOW_STRENGTHS):
        near, far = SHADOW_LIMITS_M[i : i + 2]
        chosen = corners_B83[(gap_B < far) & (gap_B >= near if i else True)]
        shadow = _soft_hulls(chosen[:, :, others], span_2, 0.05 + 0.35 * far)
        light *= 1 - strength * shadow
    return np.repeat(light[..., None], 3, axis=2)


def _corners(span_2: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the light (v, u) of a face that is darker along its edges."""
    share = (np.arange(SIDE_TEXELS) + 0.5) / SIDE_TEXELS
    u_1S, v_S1 = (np.minimum(share, 1 - share) * span for span in span_2)
    light = (1 - CORNER_STRENGTH * np.exp(-v_S1[:, None] / CORNER_M)) * (1 - CORNER_STRENGTH * np.exp(-u_1S / CORNER_M))
    return light.astype(np.float32)


def _soft_hulls(corners_B82: NDArray[np.float64], span_2: NDArray[np.float64], blur_m: float) -> NDArray[np.float32]:
    """Return the blurred projections of boxes onto a face (v, u), 0..1."""
    mask = np.zeros((SIDE_TEXELS, SIDE_TEXELS), np.float32)
    for points_82 in corners_B82:
        _fill(mask, points_82, span_2, 1.0)
    sigma_2 = blur_m / span_2 * SIDE_TEXELS
    return cv2.GaussianBlur(mask, (0, 0), sigma_2[0], sigmaY=sigma_2[1])  # type: ignore[return-value]


def _fill(mask: NDArray[np.float32], points_P2: NDArray[np.float64], span_2: NDArray[np.float64], value: float) -> None:
    hull = cv2.convexHull((points_P2 / span_2 * SIDE_TEXELS).astype(np.int32))
    cv2.fillConvexPoly(mask, hull, value)


def _with_sun(
    light: NDArray[np.float32], span_2: NDArray[np.float64], sunny: Sequence[NDArray[np.float64]]
) -> NDArray[np.float32]:
    mask = np.zeros((SIDE_TEXELS, SIDE_TEXELS), np.float32)
    for points_P2 in sunny:
        _fill(mask, points_P2, span_2, 1.0)
    share = cv2.GaussianBlur(mask, (0, 0), 1.0)[..., None]
    return light * (1 + share * (np.array(SUN, np.float32) - 1))
