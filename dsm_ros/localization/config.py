"""Every number of the localizer, with its default: the only place they are written."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class ConfidenceWeights:
    """How the shares of agreeing cells make the log odds that a pose is right, within 10 cm and 5 degrees.

    Fitted by scripts/fit_confidence.py to the shipped weights of the network; docs/confidence.md says how well.
    inlier_ratio: of all cells given to PnP. seeing_share: of those that would see mapped surface from the pose.
    """

    bias: float = -6.4
    inlier_ratio: float = 4.95
    seeing_share: float = 10.62


@dataclass(frozen=True)
class LocalizerConfig:
    """How one image is localized.

    keyframes: N, scene images retrieved. first_keyframes: how many of them are matched first, and all only where these
    find no pose that may be published. near_keyframes: how many of the first are, where a pose is expected, those
    nearest to it. keyframes_around, nearest_around: scene images of the second match, and how many of them are those
    nearest to the pose found; the others fill what these do not show.
    temporal: fuse the previous frame's correlation.
    max_frame_gap_s: the previous frame counts only when it is this recent.
    pnp_cells, pnp_cells_around: how many of the most certain cells PnP takes, at first and around the pose found.
    ransac_cells: how many of the most certain ones poses are made of; the best is refined on all.
    max_error_px: inlier limit at the network's input size.
    min_inliers (of the cells given to PnP) and min_confidence (probability that the pose is right): below, there is no
    pose. confidence: what that probability is made of.
    max_keyframe_distance_m: a pose further from every retrieved keyframe contradicts the map.
    pixel_sigma_px: the least deviation of an inlier that the covariance believes, however well the inliers fit.
    """

    keyframes: int = 10
    first_keyframes: int = 4
    near_keyframes: int = 3
    keyframes_around: int = 6
    nearest_around: int = 3
    temporal: bool = True
    max_frame_gap_s: float = 0.25
    pnp_cells: int = 1000
    ransac_cells: int = 500
    pnp_cells_around: int = 2000
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
