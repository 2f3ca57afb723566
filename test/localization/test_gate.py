"""The gate on a wall that one keyframe has mapped, without a network."""

from dataclasses import replace

import numpy as np
import torch

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pnp import PnpResult, reprojection_errors
from dsm_ros.geometry.pose import make_pose
from dsm_ros.geometry.sampling import cell_centres
from dsm_ros.localization.attempt import Attempt
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.gate import assess
from dsm_ros.localization.result import Reason
from dsm_ros.localization.sight import Sight
from dsm_ros.network.features import ImageFeatures, KeyframeFeatures, gather_scene

CAMERA = Camera(512, 384, 420.0, 420.0, 255.5, 191.5)
WALL_M = 2.0
AT_KEYFRAME = np.eye(4)
# With this camera the view is 2.4 m wide at the wall: the left quarter of the image is all that sees what is mapped.
ASIDE = make_pose(np.eye(3), [1.8, 0.0, 0.0])
CONFIG = LocalizerConfig()


def wall_keyframe():
    levels = torch.zeros(1, 24, 32), torch.zeros(1, 48, 64)
    depths = tuple(torch.full(level.shape[1:], WALL_M) for level in levels)
    return KeyframeFeatures(ImageFeatures(levels, torch.zeros(1), CAMERA), depths, AT_KEYFRAME)


def attempt_at(map_T_camera, agreeing_columns):
    """All cells of an image; those of the leftmost columns of 64 agree with the pose, the others saw something else."""
    pixels_C2 = cell_centres(64, 48, CAMERA.width_px, CAMERA.height_px)
    points_C3 = CAMERA.unproject(pixels_C2) * WALL_M + map_T_camera[:3, 3]
    points_C3[np.arange(len(pixels_C2)) % 64 >= agreeing_columns] += (0, 1.0, 0)
    agrees_C = reprojection_errors(pixels_C2, points_C3, CAMERA, map_T_camera) < CONFIG.max_error_px
    return Attempt(None, points_C3, pixels_C2, points_C3, np.ones(len(points_C3)), PnpResult(map_T_camera, agrees_C))


def judged(attempt):
    return assess([wall_sight(attempt)], CONFIG)[1]


def wall_sight(attempt):
    keyframe = wall_keyframe()
    return Sight(keyframe.image, (0,), (keyframe,), gather_scene([keyframe]), attempt)


def test_a_pose_is_good_when_what_should_see_the_map_agrees():
    attempt = attempt_at(ASIDE, agreeing_columns=16)
    assert attempt.inlier_ratio == 0.25
    assert judged(attempt) is None


def test_a_look_alike_is_refused_when_most_of_what_should_see_the_map_disagrees():
    attempt = attempt_at(AT_KEYFRAME, agreeing_columns=16)
    assert attempt.inlier_ratio == 0.25
    reason, detail = judged(attempt)
    assert reason is Reason.LOW_CONFIDENCE
    assert detail.endswith("0.25 of the cells agree, of those that should see the map from there 0.25")


def test_the_confidence_that_fails_is_named_with_its_limit():
    support, (_, detail) = assess([wall_sight(attempt_at(AT_KEYFRAME, agreeing_columns=16))], CONFIG)
    assert 0 < support.confidence < CONFIG.min_confidence
    assert detail.startswith(f"confidence {support.confidence:.2f} is below {CONFIG.min_confidence:.2f}: ")


def test_the_limit_is_the_one_given():
    attempt = attempt_at(AT_KEYFRAME, agreeing_columns=16)
    confidence = assess([wall_sight(attempt)], CONFIG)[0].confidence
    for limit, passes in ((confidence - 0.01, True), (confidence + 0.01, False)):
        against = assess([wall_sight(attempt)], replace(CONFIG, min_confidence=limit))[1]
        assert (against is None) == passes


def test_a_pose_far_from_every_keyframe_is_refused():
    far = make_pose(np.eye(3), [0.0, 0.0, -6.0])
    reason, detail = judged(attempt_at(far, agreeing_columns=64))
    assert reason is Reason.CONTRADICTS_MAP
    assert "6.0 m from the nearest keyframe used, limit 5.0 m" in detail


def test_few_agreeing_cells_are_refused_however_sure_the_rest_is():
    attempt = attempt_at(ASIDE, agreeing_columns=16)
    few = replace(CONFIG, min_inliers=attempt.inliers + 1)
    reason, detail = assess([wall_sight(attempt)], few)[1]
    assert reason is Reason.TOO_FEW_INLIERS
    assert detail == f"{attempt.inliers} of 3072 cells agree, {attempt.inliers + 1} are needed"


def test_without_a_pose_there_is_no_confidence():
    attempt = replace(attempt_at(AT_KEYFRAME, agreeing_columns=64), pnp=None)
    support, (reason, _) = assess([wall_sight(attempt)], CONFIG)
    assert reason is Reason.NO_POSE
    assert support.confidence == 0


def test_too_few_matched_cells_are_named_before_the_missing_pose():
    attempt = replace(attempt_at(AT_KEYFRAME, agreeing_columns=64), pnp=None, points_C3=np.zeros((20, 3)))
    assert judged(attempt) == (Reason.TOO_FEW_CANDIDATES, "20 cells matched the map, 100 are needed")


def test_cells_of_all_cameras_count_together():
    """A second camera that saw something else lowers the confidence of the first one's pose."""
    sure, lost = (wall_sight(attempt_at(AT_KEYFRAME, agreeing_columns=columns)) for columns in (64, 0))
    alone, together = assess([sure], CONFIG)[0], assess([sure, lost], CONFIG)[0]
    assert (alone.inlier_ratio, alone.seeing_share) == (1, 1)
    assert (together.inlier_ratio, together.seeing_share) == (0.5, 0.5)
    assert together.confidence < alone.confidence
    assert together.keyframe_ids == (0,)
