"""Every number of the localizer, with its default: the only place they are written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class LocalizerConfig:
    """How one image is localized.

    keyframes: N, scene images retrieved. temporal: fuse the previous frame's correlation.
    max_frame_gap_s: the previous frame counts only when it is this recent.
    pnp_cells: the most certain cells that PnP takes. max_error_px: inlier limit at the network's input size.
    min_inliers and min_confidence (inlier share of the cells given to PnP): below, there is no pose.
    max_keyframe_distance_m: a pose further from every retrieved keyframe contradicts the map.
    pixel_sigma_px: deviation of one inlier, scaled for correlation between neighbours, for the covariance.
    """

    keyframes: int = 10
    temporal: bool = True
    max_frame_gap_s: float = 0.25
    pnp_cells: int = 1000
    max_error_px: float = 8.0
    min_inliers: int = 100
    min_confidence: float = 0.2
    max_keyframe_distance_m: float = 5.0
    pixel_sigma_px: float = 30.0
