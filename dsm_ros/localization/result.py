"""Results of localization: a pose with covariance, or the reason why there is no pose, and the time of each stage."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.pose import Pose44
from dsm_ros.text_enum import TextEnum


class Reason(TextEnum):
    """The reasons why there is no pose."""

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
    INTERNAL_ERROR = "internal_error"
    TIMEOUT = "timeout"


@dataclass(frozen=True)
class StageTimes:
    """Wall time of each stage of an image in ms."""

    encode: float = 0.0
    retrieve: float = 0.0
    match: float = 0.0
    pnp: float = 0.0
    total: float = 0.0


STAGES = tuple(stage.name for stage in fields(StageTimes))


@dataclass(frozen=True)
class SceneCoordinates:
    """Dense scene coordinates of one image on the grid of the finest matched level.

    coords_HW3: float64, metres, map frame. confidence_HW: float32, 0..1 (0 = no coordinate); in a localized image, at
    least 0.5 where the cell was matched and below 0.5 where the coordinate was filled from the cells around it.
    pixels_HW2: float32 (x, y) of each cell's centre in the original image. colors_HW3: uint8 RGB at these pixels.
    """

    coords_HW3: NDArray[np.float64]
    confidence_HW: NDArray[np.float32]
    pixels_HW2: NDArray[np.float32]
    colors_HW3: NDArray[np.uint8]


@dataclass(frozen=True)
class Support:
    """The support of a pose by the image and the map.

    inliers: number of cells that agree with the pose. inlier_ratio: share of the inliers among the cells given to PnP.
    confidence: probability that the pose is within 10 cm and 5 degrees of the true pose. keyframe_ids: keyframes of the
    first match, best first. visible_inlier_ratio: share of the inliers among the cells where the map has a surface, as
    seen from the pose. followed_ratio: share of the image patches of keyframes, expected in the image, that the
    refinement found there, 0 for a pose that was not refined.
    """

    inliers: int = 0
    inlier_ratio: float = 0.0
    confidence: float = 0.0
    keyframe_ids: tuple[int, ...] = ()
    visible_inlier_ratio: float = 0.0
    followed_ratio: float = 0.0


@dataclass(frozen=True)
class Localized:
    """An accepted pose.

    map_T_camera: 4x4, pose of the optical frame of a single camera, or pose of the rig. covariance_66: ROS order (x y z
    rotX rotY rotZ), map frame, m and rad, rotation about fixed map axes.
    """

    map_T_camera: Pose44
    covariance_66: NDArray[np.float64]
    support: Support
    coordinates: SceneCoordinates
    times_ms: StageTimes = field(default_factory=StageTimes)


@dataclass(frozen=True)
class NotLocalized:
    """The reason why there is no pose, and a sentence with the number that failed and its limit."""

    reason: Reason
    detail: str
    support: Support = field(default_factory=Support)
    coordinates: SceneCoordinates | None = None
    times_ms: StageTimes = field(default_factory=StageTimes)


Result = Localized | NotLocalized
