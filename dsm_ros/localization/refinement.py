"""Photometric refinement of a pose on image patches of the nearest keyframes [method 7].

The cells of a dense match are 8 px wide, so a pose estimated on cells is precise to a few pixels. The refinement finds
patches of keyframes in the query image to a fraction of a pixel, around the pixels where the pose expects them, and
fits the pose to the points of the found patches. The refined pose is the mean of both poses, weighted by covariance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from dsm_ros.geometry.correspondences import Correspondences
from dsm_ros.geometry.patches import grey_pyramid
from dsm_ros.geometry.pnp import refine_pnp, reprojection_errors
from dsm_ros.geometry.pose import Pose44, invert
from dsm_ros.geometry.pose_covariance import UncertainPose, mean_pose
from dsm_ros.geometry.rig_pnp import refine_rig_pose
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.covariance import covariance_of, rig_information
from dsm_ros.localization.patch_search import Array, SearchedImage, expected_patches, follow
from dsm_ros.localization.pose_estimation import PoseEstimate, evaluate_pose
from dsm_ros.localization.verification import CheckedPose
from dsm_ros.localization.view import View
from dsm_ros.scene_map.keyframe_patches import LONG_SIDE_PX, all_patches
from dsm_ros.scene_map.scene_map import SceneMap

KEYFRAMES = 3  # number of keyframes nearest to a camera whose patches are searched in the image
FIRST_LEVELS, SECOND_LEVELS = 3, 2  # pyramid levels of the first and second round; the second round starts nearer
NEAR_START_PX = 2.0  # maximum median shift of the patches in the first round without a second round
MAX_ERROR_PX = 6.0  # inlier limit
LOSS_SCALE_PX = 0.5
# Standard deviation of a found patch, from the residuals and a floor, divided by the share of the expected patches that
# were found. Errors of depth and calibration grow with the parallax between keyframe and image, and move all patches
# together, so they do not average out. The product of residual and parallax tells how large they are.
SIGMA_FLOOR_PX, SIGMA_FACTOR = 0.15, 0.6
SYSTEMATIC_PX_DEG = 5.0  # product of residual and parallax at which the standard deviation is twice as large
# The covariance of the mean is multiplied by a factor, because cells and patches of the same keyframes do not err
# independently. The factor is divided by the squared share of agreeing visible cells, because the errors of cells are
# larger where other cells contradict the pose.
COVARIANCE_FACTOR, MIN_SHARE = 1.4, 0.1
MIN_FOLLOWED = 20  # patches of all images, for a pose
KEPT_INLIERS = 0.75  # least share of the inliers of the pose before that agree with the refined pose too


@dataclass(frozen=True)
class Refinement:
    """A refined pose and its support by patches of keyframes.

    followed: the patches found in each image within ``MAX_ERROR_PX`` of the pose. followed_ratio: the share of these
    patches among those expected in the images. errors_N: the reprojection errors of the followed patches of all images.
    shift_px: the median distance of the followed patches from their positions expected before the refinement.
    parallax_deg: the median angle between the rays from the keyframes and from the images to the expected patches.
    """

    map_T_rig: Pose44
    followed: tuple[Correspondences, ...]
    followed_ratio: float
    errors_N: Array
    shift_px: float
    parallax_deg: float

    @property
    def covariance_66(self) -> Array:
        """The covariance (x y z rotX rotY rotZ; map frame; m, rad) of the pose from the patches [method 10]."""
        residual_px = float(np.hypot(SIGMA_FLOOR_PX, np.sqrt((self.errors_N**2).mean() / 2)))
        systematic = (residual_px * self.parallax_deg / SYSTEMATIC_PX_DEG) ** 3
        sigma_px = SIGMA_FACTOR * residual_px * (1 + systematic) / self.followed_ratio
        return covariance_of(rig_information(self.followed, self.map_T_rig, sigma_px))


class Refiner:
    """Refines poses with the keyframes of one map."""

    def __init__(self, scene_map: SceneMap) -> None:
        self._scene_map = scene_map

    def refine(self, views: Sequence[View], map_T_rig: Pose44) -> Refinement | None:
        """Return a pose refined on all images of one moment together, or None if a round finds too few patches.

        Raises DsmError for several views without PoseLib.
        """
        images = [self._searched(view, map_T_rig) for view in views]
        first = refine_once(images, map_T_rig, FIRST_LEVELS)
        if first is None or first.shift_px <= NEAR_START_PX:
            return first
        return refine_once(images, first.map_T_rig, SECOND_LEVELS)

    def _searched(self, view: View, map_T_rig: Pose44) -> SearchedImage:
        pyramid, camera = grey_pyramid(view.image_HW3, view.camera, LONG_SIDE_PX)
        nearest = self._scene_map.nearest(map_T_rig @ view.rig_T_camera, KEYFRAMES)
        return SearchedImage(pyramid, camera, view.rig_T_camera, all_patches(self._scene_map.patches(nearest)))


def views_to_refine_on(alone: Sequence[PoseEstimate], together: Sequence[PoseEstimate]) -> list[View]:
    """Return the views that match the map; all views if no view does.

    Patches expected in a covered camera are never found, so they would lower the confidence of a right pose. A view
    matches the map if enough cells agree with the common pose of the rig or with the pose of the camera alone. A camera
    that contradicts the common pose therefore lowers the confidence. alone, together: the estimates of each camera
    before and after the estimation of the common pose.
    """
    matched = [
        own.image.view for own, common in zip(alone, together, strict=True) if own.is_supported or common.is_supported
    ]
    return matched or [own.image.view for own in alone]


def at_refined_pose(pose: CheckedPose, refinement: Refinement, config: LocalizerConfig) -> CheckedPose:
    """Return a pose moved towards its refinement, or the unchanged pose where cells contradict the refined pose.

    The correspondences of the first match must agree with the refined pose almost as well as with the pose before.
    """
    before = UncertainPose(pose.map_T_rig, pose.covariance_66)
    mean = mean_pose(before, UncertainPose(refinement.map_T_rig, refinement.covariance_66))
    estimates = tuple(
        evaluate_pose(each.image, each.correspondences, mean.a_T_b @ each.image.view.rig_T_camera, config)
        for each in pose.estimates
    )
    inliers, inliers_before = (sum(int(e.inliers_N.sum()) for e in group) for group in (estimates, pose.estimates))
    if inliers < KEPT_INLIERS * inliers_before:
        return pose
    support = replace(pose.support, followed_ratio=refinement.followed_ratio)
    factor = COVARIANCE_FACTOR / max(MIN_SHARE, support.visible_inlier_ratio) ** 2
    return CheckedPose(mean.a_T_b, factor * mean.covariance_66, support, estimates)


def refine_once(images: Sequence[SearchedImage], map_T_rig: Pose44, levels: int) -> Refinement | None:
    """Return a pose refined on the patches found in all images, or None if too few patches are found."""
    expected = [expected_patches(image, map_T_rig @ image.rig_T_camera) for image in images]
    followed = [follow(image, patches, levels) for image, patches in zip(images, expected, strict=True)]
    if sum(map(len, followed)) < MIN_FOLLOWED:
        return None
    refined = _fitted(followed, map_T_rig)
    if refined is None:
        return None
    errors = [_errors(one, refined) for one in followed]
    near = tuple(one.chosen(errors_N < MAX_ERROR_PX) for one, errors_N in zip(followed, errors, strict=True))
    if (count := sum(map(len, near))) < MIN_FOLLOWED:
        return None
    ratio = count / sum(len(each.patches) for each in expected)
    errors_N = np.concatenate(errors)
    shift_px = float(np.median(np.concatenate([_errors(one, map_T_rig) for one in near])))
    parallaxes = [
        each.parallax_deg_N(refined @ image.rig_T_camera) for image, each in zip(images, expected, strict=True)
    ]
    parallax_deg = float(np.median(np.concatenate(parallaxes)))
    return Refinement(refined, near, ratio, errors_N[errors_N < MAX_ERROR_PX], shift_px, parallax_deg)


def _fitted(followed: Sequence[Correspondences], map_T_rig: Pose44) -> Pose44 | None:
    if len(followed) > 1:
        return refine_rig_pose(map_T_rig, followed, MAX_ERROR_PX, LOSS_SCALE_PX)
    (one,) = followed
    start = map_T_rig @ one.rig_T_camera
    fitted = refine_pnp(start, one.pixels_N2, one.points_N3, one.camera, MAX_ERROR_PX, LOSS_SCALE_PX)
    return None if fitted is None else fitted @ invert(one.rig_T_camera)


def _errors(one: Correspondences, map_T_rig: Pose44) -> Array:
    return reprojection_errors(one.pixels_N2, one.points_N3, one.camera, map_T_rig @ one.rig_T_camera)
