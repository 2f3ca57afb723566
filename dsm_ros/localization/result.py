"""Results: a pose with its covariance, support and dense coordinates, or the reason why there is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.pose import Pose44


class Reason(StrEnum):
    """Why there is no pose: what the image lacks, what the map lacks, what contradicts it, what the node waits for."""

    NO_RETRIEVAL = "no_retrieval"
    TOO_FEW_CANDIDATES = "too_few_candidates"
    NO_POSE = "no_pose"
    TOO_FEW_INLIERS = "too_few_inliers"
    LOW_CONFIDENCE = "low_confidence"
    CONTRADICTS_MAP = "contradicts_map"
    CONTRADICTS_MOTION = "contradicts_motion"
    CONTRADICTS_HINT = "contradicts_hint"
    NO_MAP = "no_map"
    NO_CAMERA_INFO = "no_camera_info"
    UNREADABLE_IMAGE = "unreadable_image"
    STALE_IMAGES = "stale_images"
    NO_TF = "no_tf"
    NOT_LEVEL = "not_level"
    TIMEOUT = "timeout"


@dataclass(frozen=True)
class StageTimes:
    """Wall time of each stage in ms."""

    encode: float = 0.0
    retrieve: float = 0.0
    match: float = 0.0
    pnp: float = 0.0
    total: float = 0.0


@dataclass(frozen=True)
class SceneCoordinates:
    """Dense scene coordinates of one image on the grid of the finest matched level.

    coords_HW3: float64 metres in the map frame. confidence_HW: float32, 0..1 (0 = no coordinate); of a localized image
    0.5 and more where the cell was matched, less where its coordinate was made of those around it.
    pixels_HW2: float32 (x, y) of each cell's centre in the original image; colors_HW3: uint8 RGB there.
    """

    coords_HW3: NDArray[np.float64]
    confidence_HW: NDArray[np.float32]
    pixels_HW2: NDArray[np.float32]
    colors_HW3: NDArray[np.uint8]


@dataclass(frozen=True)
class Support:
    """How far the image supports a pose.

    inliers: cells that agree with it. inlier_ratio: their share. confidence: the probability that the pose is within
    10 cm and 5 degrees. keyframe_ids: those used, best first. visible_inlier_ratio: the share of the cells that should
    see the map from the pose that agree with it.
    """

    inliers: int = 0
    inlier_ratio: float = 0.0
    confidence: float = 0.0
    keyframe_ids: tuple[int, ...] = ()
    visible_inlier_ratio: float = 0.0


@dataclass(frozen=True)
class Localized:
    """An accepted pose.

    map_T_camera: 4x4, of the optical frame of a single camera, else of the rig. covariance_66: ROS order (x y z rotX
    rotY rotZ), map frame, m and rad, rotation about fixed map axes.
    """

    map_T_camera: Pose44
    covariance_66: NDArray[np.float64]
    support: Support
    coordinates: SceneCoordinates
    times_ms: StageTimes = field(default_factory=StageTimes)


@dataclass(frozen=True)
class NotLocalized:
    """No pose, and why: the reason, and a sentence with the number that failed and its limit."""

    reason: Reason
    detail: str
    support: Support = field(default_factory=Support)
    coordinates: SceneCoordinates | None = None
    times_ms: StageTimes = field(default_factory=StageTimes)


Result = Localized | NotLocalized
