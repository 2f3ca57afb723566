"""Configuration of the localizer and of the tracker: all numbers, their units and their defaults."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class ConfidenceWeights:
    """Weights of the logistic model that turns the support of a pose into its confidence.

    The confidence is the probability that the pose is within 10 cm and 5 degrees of the true pose [method 9].
    scripts/fit_confidence.py fits the weights for the shipped network, and docs/confidence.md reports the result.
    """

    bias: float = -5.34  # constant term of the log odds
    inlier_ratio: float = 4.08  # weight of the share of inliers among all cells given to PnP
    visible_inlier_ratio: float = 5.24  # weight of the share of inliers among the visible cells given to PnP
    precise_ratio: float = 7.07  # weight of the share of found patches, reduced where the position is uncertain


@dataclass(frozen=True)
class LocalizerConfig:
    """Parameters of the localizer; distances in px refer to the network's input image."""

    keyframes: int = 10  # N, the number of similar keyframes retrieved for an image
    first_keyframes: int = 4  # keyframes matched first; all N are matched only if the first pose is rejected
    near_keyframes: int = 3  # number of the first_keyframes that are the nearest to the prior, if there is a prior
    guided_confidence: float = 0.6  # mean confidence from which a first match is not followed by a guided match
    guided_keyframes: int = 6  # keyframes of the guided match
    guided_nearest_keyframes: int = 3  # number of the guided_keyframes that are the nearest to the pose
    temporal: bool = True  # whether correlations with the previous frame are fused [paper 3.3.1]
    max_frame_gap_s: float = 0.25  # maximum age of a previous frame that is fused
    pnp_cells: int = 1000  # number of the most confident cells of the first match, for PnP and verification
    ransac_cells: int = 500  # number of the most confident pnp_cells, from which RANSAC draws its samples
    guided_pnp_cells: int = 2000  # number of the most confident cells of the guided match, for the second pose
    max_error_px: float = 8.0  # maximum reprojection error of an inlier
    min_inliers: int = 100  # minimum number of inliers among the pnp_cells of an accepted pose
    min_confidence: float = 0.25  # minimum confidence, 0..1, of an accepted pose
    confidence: ConfidenceWeights = ConfidenceWeights()
    max_keyframe_distance_m: float = 5.0  # maximum distance of a pose from the nearest keyframe that was matched
    pixel_sigma_px: float = 0.8  # minimum standard deviation of the inliers in the covariance

    def with_keyframes(self, count: int) -> LocalizerConfig:
        """Return this configuration with another N and all N keyframes matched at once, to measure the effect of N."""
        return replace(self, keyframes=count, first_keyframes=count)


@dataclass(frozen=True)
class TrackerConfig:
    """Limits on the motion of a camera between images.

    A pose contradicts motion when it differs from the prediction by more than the limits. Without odometry, the limits
    grow with the time since the last pose, because people and robots change their speed.
    """

    max_gap_s: float = 1.0  # maximum time since the last pose for a prediction
    max_jump_m: float = 0.3  # maximum distance from the prediction
    max_jump_deg: float = 20.0  # maximum rotation from the prediction
    growth_mps: float = 1.5  # growth of max_jump_m per second without odometry
    growth_dps: float = 90.0  # growth of max_jump_deg per second without odometry
    max_pause_s: float = 10.0  # maximum time between images; a longer pause, or a step back in time, resets the tracker
