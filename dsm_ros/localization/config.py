"""Configuration of the localizer and of the tracker: all numbers, their units and their defaults."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class ConfidenceWeights:
    """Weights of the logistic model that turns inlier ratios into the confidence of a pose.

    The confidence is the probability that the pose is within 10 cm and 5 degrees of the true pose [method 9].
    scripts/fit_confidence.py fits the weights for the shipped network, and docs/confidence.md reports the result.
    """

    bias: float = -6.4  # log odds of a pose without inliers
    inlier_ratio: float = 4.95  # weight of the share of inliers among all cells given to PnP
    visible_inlier_ratio: float = 10.62  # weight of the share of inliers among the visible cells given to PnP


@dataclass(frozen=True)
class LocalizerConfig:
    """Numbers of the localizer; pixels are those of the network's input image."""

    keyframes: int = 10  # N, the number of similar keyframes retrieved for an image
    first_keyframes: int = 4  # keyframes matched first; all N are matched only if the pose from these is rejected
    near_keyframes: int = 3  # of first_keyframes, those taken for being nearest to the prior, where there is a prior
    guided_keyframes: int = 6  # keyframes of the guided match; 0 turns the guided match off
    guided_nearest_keyframes: int = 3  # of guided_keyframes, those nearest to the pose; the others complete the view
    temporal: bool = True  # whether the correlation with the previous frame is fused [paper 3.3.1]
    max_frame_gap_s: float = 0.25  # longest time since the previous frame at which the previous frame is fused
    pnp_cells: int = 1000  # most confident cells of the first match, given to PnP and verification
    ransac_cells: int = 500  # of pnp_cells, the most confident ones, from which RANSAC draws its samples
    guided_pnp_cells: int = 2000  # most confident cells of the guided match, on which the pose is refined
    max_error_px: float = 8.0  # largest reprojection error of an inlier
    min_inliers: int = 100  # least inliers, among the cells given to PnP, of an accepted pose
    min_confidence: float = 0.35  # least confidence, 0..1, of an accepted pose
    confidence: ConfidenceWeights = ConfidenceWeights()
    max_keyframe_distance_m: float = 5.0  # a pose further than this from all keyframes used contradicts the map
    pixel_sigma_px: float = 0.8  # least standard deviation of an inlier in the covariance, however well inliers fit

    def with_keyframes(self, count: int) -> LocalizerConfig:
        """Return this configuration with another N and all N keyframes matched at once, to measure the effect of N."""
        return replace(self, keyframes=count, first_keyframes=count)


@dataclass(frozen=True)
class TrackerConfig:
    """Limits on the motion of a camera between images.

    A pose contradicts motion when it differs from the prediction by more than the limits. Without odometry, the limits
    grow with the time since the last pose, because people and robots change their speed.
    """

    max_gap_s: float = 1.0  # longest time since the last pose at which a pose is predicted
    max_jump_m: float = 0.3  # limit of the distance from the prediction
    max_jump_deg: float = 20.0  # limit of the rotation from the prediction
    growth_mps: float = 1.5  # growth of max_jump_m per second without odometry
    growth_dps: float = 90.0  # growth of max_jump_deg per second without odometry
    max_pause_s: float = 10.0  # a longer pause between images, or a step back in time, resets the tracker
