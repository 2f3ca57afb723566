"""Configuration of the localizer and of the tracker: every number and its default."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class ConfidenceWeights:
    """How the shares of agreeing cells make the log odds that a pose is right, within 10 cm and 5 degrees.

    Fitted by scripts/fit_confidence.py to the shipped weights of the network; docs/confidence.md says how well.
    inlier_ratio: of all cells given to PnP. visible_inlier_ratio: of those that would see mapped surface from the pose.
    """

    bias: float = -6.4
    inlier_ratio: float = 4.95
    visible_inlier_ratio: float = 10.62


@dataclass(frozen=True)
class LocalizerConfig:
    """The numbers of the localizer.

    keyframes: N, retrieved for an image. first_keyframes: how many of them are matched first; all are matched only
    where these lead to no accepted pose. near_keyframes: how many of the first are those nearest to the prior, where
    there is one. guided_keyframes: of the guided match; guided_nearest_keyframes: how many of them are those nearest to
    the pose estimate, while the others show what these do not.
    temporal: fuse the previous frame's correlation [paper 3.3.1].
    max_frame_gap_s: the previous frame counts only when it is this recent.
    pnp_cells, guided_pnp_cells: the most confident cells of the first and of the guided match that PnP takes.
    ransac_cells: the most confident of them, that RANSAC draws from; the best pose is refined on all.
    max_error_px: inlier limit at the network's input size.
    min_inliers (of the cells given to PnP) and min_confidence (probability that the pose is right): a pose below either
    is rejected. confidence: the weights of that probability.
    max_keyframe_distance_m: a pose further from every keyframe used contradicts the map.
    pixel_sigma_px: the least deviation of an inlier that the covariance believes, however well the inliers fit.
    """

    keyframes: int = 10
    first_keyframes: int = 4
    near_keyframes: int = 3
    guided_keyframes: int = 6
    guided_nearest_keyframes: int = 3
    temporal: bool = True
    max_frame_gap_s: float = 0.25
    pnp_cells: int = 1000
    ransac_cells: int = 500
    guided_pnp_cells: int = 2000
    max_error_px: float = 8.0
    min_inliers: int = 100
    min_confidence: float = 0.35
    confidence: ConfidenceWeights = ConfidenceWeights()
    max_keyframe_distance_m: float = 5.0
    pixel_sigma_px: float = 0.8

    def with_keyframes(self, count: int) -> LocalizerConfig:
        """Return this for another N, all matched at once: to measure what N keyframes are worth."""
        return replace(self, keyframes=count, first_keyframes=count)


@dataclass(frozen=True)
class TrackerConfig:
    """What is believed of a camera between images.

    max_gap_s: a prediction counts this long after the last pose. A pose contradicts motion when it is further from the
    prediction than max_jump_m or max_jump_deg; without odometry the limits grow with the time since the last pose, for
    hands and robots change their speed. max_pause_s: a longer pause, or a step back in time, starts over.
    """

    max_gap_s: float = 1.0
    max_jump_m: float = 0.3
    max_jump_deg: float = 20.0
    growth_mps: float = 1.5
    growth_dps: float = 90.0
    max_pause_s: float = 10.0
