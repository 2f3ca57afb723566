"""Image patches, and their alignment with another image by the inverse compositional Lucas-Kanade method.

A patch is a square grid of samples around a point. The brightness of a patch is normalised to zero mean and unit
standard deviation, so a change of exposure or of contrast moves no patch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.rectify import AREA_FROM, pinhole_of_size, rectify_image

LEVELS = 3  # levels of the image pyramid, each half the size of the previous level
SMOOTHING_PX = 0.7  # standard deviation of the blur against aliasing, because samples are several pixels apart
SAMPLES = 6  # samples along a side of a patch
SPACING_PX = 3.0  # distance between two samples, at the sampled pyramid level
MIN_CONTRAST = 2.0  # grey values added to the standard deviation of a patch, so that noise is not amplified
MIN_CURVATURE = 1e-2  # added to the Gauss-Newton matrix of a patch, so that it can be inverted
MAX_STEP_PX = 1.5  # maximum step of one iteration, at the pyramid level
ITERATIONS = 3  # iterations at each pyramid level

Float32 = NDArray[np.float32]


@dataclass(frozen=True)
class PatchLevel:
    """Patches of one image at one pyramid level.

    samples_NP: normalised brightness. gain_N2P: gain times a difference of normalised brightness is the shift (px of
    the level) that explains the difference best.
    """

    samples_NP: Float32
    gain_N2P: Float32

    def rows(self, rows_M: NDArray[np.int64]) -> PatchLevel:
        """Return the patches in the given rows."""
        return PatchLevel(self.samples_NP[rows_M], self.gain_N2P[rows_M])


def joined_patches(parts: Sequence[PatchLevel]) -> PatchLevel:
    """Concatenate the patches of several images at one pyramid level."""
    samples_NP = np.concatenate([np.empty((0, SAMPLES**2), np.float32), *(part.samples_NP for part in parts)])
    gain_N2P = np.concatenate([np.empty((0, 2, SAMPLES**2), np.float32), *(part.gain_N2P for part in parts)])
    return PatchLevel(samples_NP, gain_N2P)


@dataclass(frozen=True)
class Alignment:
    """Positions of patches that were found in another image.

    pixels_N2: px. correlation_N: correlation of each patch with the image at its found position, -1..1. last_step_N:
    length of the last iteration's step (px of the finest level).
    """

    pixels_N2: Float32
    correlation_N: Float32
    last_step_N: Float32


def grey_pyramid(image_HW3: NDArray[np.uint8], camera: Camera, long_side_px: int) -> tuple[list[Float32], Camera]:
    """Return the grey pyramid of an image (uint8 RGB), full size first, and the pinhole camera of the full size."""
    pinhole = pinhole_of_size(camera, long_side_px)
    grey_HW = rectify_image(cv2.cvtColor(image_HW3, cv2.COLOR_RGB2GRAY), camera, pinhole, AREA_FROM)
    levels = [cv2.GaussianBlur(grey_HW.astype(np.float32), (0, 0), SMOOTHING_PX)]
    for _ in range(LEVELS - 1):
        levels.append(cv2.pyrDown(levels[-1]))
    return [np.asarray(level, dtype=np.float32) for level in levels], pinhole


def cut_patches(pyramid: Sequence[Float32], pixels_N2: NDArray[np.float64]) -> tuple[PatchLevel, ...]:
    """Return the patches around pixels (px of the full size) at every pyramid level."""
    return tuple(_cut(level_HW, at_level(pixels_N2, level)) for level, level_HW in enumerate(pyramid))


def align(
    pyramid: Sequence[Float32],
    levels: Sequence[PatchLevel],
    pixels_N2: NDArray[np.float64],
    warp_N22: NDArray[np.float64],
) -> Alignment:
    """Return the positions of patches near their expected pixels in an image, coarse to fine.

    pyramid: the levels to search, full size first. levels: the patches at these levels. warp_N22: the affine warp
    around each point, d pixel of the image / d pixel of the patch.
    """
    warp: Float32 = warp_N22.astype(np.float32)
    samples_N2P = warp @ _offsets_2P()
    shift_N2: Float32 = np.zeros(pixels_N2.shape, np.float32)
    for level in reversed(range(len(pyramid))):
        expected_N2P: Float32 = at_level(pixels_N2, level).astype(np.float32)[..., None] + samples_N2P
        shift_N2, correlation_N, last_step_N = _align_level(
            pyramid[level], levels[level], expected_N2P, warp, shift_N2 / np.float32(2**level)
        )
        shift_N2 = shift_N2 * np.float32(2**level)
    return Alignment(pixels_N2.astype(np.float32) + shift_N2, correlation_N, last_step_N)


def at_level(pixels_N2: NDArray[np.float64], level: int) -> NDArray[np.float64]:
    """Convert pixels of the full size to pixels of a pyramid level."""
    return pixels_N2 / 2**level  # cv2.pyrDown centres its pixel (0, 0) on pixel (0, 0)


def _align_level(
    level_HW: Float32, patches: PatchLevel, expected_N2P: Float32, warp_N22: Float32, shift_N2: Float32
) -> tuple[Float32, Float32, Float32]:
    for _ in range(ITERATIONS):
        found_NP = _normalised(_sample(level_HW, expected_N2P + shift_N2[..., None]))
        step_N2 = np.einsum("nip,np->ni", patches.gain_N2P, found_NP - patches.samples_NP)
        step_N2 = np.clip(step_N2, -MAX_STEP_PX, MAX_STEP_PX)
        shift_N2 = shift_N2 - np.einsum("nij,nj->ni", warp_N22, step_N2)
    return shift_N2, _correlation(found_NP, patches.samples_NP), np.linalg.norm(step_N2, axis=1)


def _correlation(a_NP: Float32, b_NP: Float32) -> Float32:
    product_N, a_N, b_N = (np.einsum("np,np->n", *pair) for pair in ((a_NP, b_NP), (a_NP, a_NP), (b_NP, b_NP)))
    return np.asarray(product_N / np.sqrt(np.maximum(a_N * b_N, np.float32(1e-12))))


def _cut(level_HW: Float32, pixels_N2: NDArray[np.float64]) -> PatchLevel:
    grid_N2P = (pixels_N2[..., None] + _offsets_2P()).astype(np.float32)
    samples_NP = _sample(level_HW, grid_N2P)
    scale_N1 = samples_NP.std(axis=1, keepdims=True) + MIN_CONTRAST
    gradient_NP2 = np.stack([_slope(level_HW, grid_N2P, axis) / scale_N1 for axis in (0, 1)], axis=2)
    gradient_NP2 -= gradient_NP2.mean(axis=1, keepdims=True)  # normalisation removes the mean of a patch
    gradient_N2P = gradient_NP2.swapaxes(1, 2)
    curvature_N22 = gradient_N2P @ gradient_NP2 + MIN_CURVATURE * np.eye(2, dtype=np.float32)
    return PatchLevel(_normalised(samples_NP), np.linalg.solve(curvature_N22, gradient_N2P))


def _slope(level_HW: Float32, grid_N2P: Float32, axis: int) -> Float32:
    aside_21 = np.eye(2, dtype=np.float32)[axis][:, None]
    return np.asarray((_sample(level_HW, grid_N2P + aside_21) - _sample(level_HW, grid_N2P - aside_21)) / 2)


def _sample(level_HW: Float32, pixels_N2P: Float32) -> Float32:
    u_NP, v_NP = np.ascontiguousarray(pixels_N2P[:, 0]), np.ascontiguousarray(pixels_N2P[:, 1])
    if not len(u_NP):  # cv2.remap refuses an empty map
        return u_NP
    sampled_NP = cv2.remap(level_HW, u_NP, v_NP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(sampled_NP, dtype=np.float32)


def _normalised(samples_NP: Float32) -> Float32:
    centred_NP = samples_NP - samples_NP.mean(axis=1, keepdims=True)
    variance_N = np.einsum("np,np->n", centred_NP, centred_NP) / np.float32(SAMPLES**2)  # np.std takes twice the time
    return np.asarray(centred_NP / (np.sqrt(variance_N)[:, None] + np.float32(MIN_CONTRAST)))


def _offsets_2P() -> Float32:
    side = (np.arange(SAMPLES, dtype=np.float32) - (SAMPLES - 1) / 2) * np.float32(SPACING_PX)
    return np.stack([grid.ravel() for grid in np.meshgrid(side, side)]).astype(np.float32)
