"""Verification on a wall that one keyframe has mapped, without a network, and the confidence of a pose."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.correspondences import Correspondences
from dsm_ros.geometry.pose import make_pose
from dsm_ros.geometry.sampling import cell_centres
from dsm_ros.localization.config import ConfidenceWeights, LocalizerConfig
from dsm_ros.localization.matching import MatchedImage
from dsm_ros.localization.pose_estimation import PoseEstimate, estimate_at
from dsm_ros.localization.result import Reason
from dsm_ros.localization.verification import Accepted, CellCounts, Rejected, confidence_of, verify
from dsm_ros.localization.view import single_view
from dsm_ros.network.features import ImageFeatures, KeyframeFeatures, gather_scene

CAMERA = Camera(512, 384, 420.0, 420.0, 255.5, 191.5)
WALL_M = 2.0
AT_KEYFRAME = np.eye(4)
# With this camera the view is 2.4 m wide at the wall: the left quarter of the image is all that sees what is mapped.
ASIDE = make_pose(np.eye(3), [1.8, 0.0, 0.0])
CONFIG = LocalizerConfig(pnp_cells=3072)
EVERY_CELL = replace(CONFIG, pnp_cells=2 * 3072)
WEIGHTS = ConfidenceWeights()


def wall_keyframe():
    levels = torch.zeros(1, 24, 32), torch.zeros(1, 48, 64)
    depths = tuple(torch.full(level.shape[1:], WALL_M) for level in levels)
    return KeyframeFeatures(ImageFeatures(levels, torch.zeros(1), CAMERA), depths, AT_KEYFRAME)


def image_at(map_T_camera, agreeing_columns):
    """An image whose cells in the leftmost columns of 64 agree with the pose, while the others saw something else."""
    pixels_N2 = cell_centres(64, 48, CAMERA.width_px, CAMERA.height_px)
    points_N3 = CAMERA.unproject(pixels_N2) * WALL_M + map_T_camera[:3, 3]
    points_N3[np.arange(len(pixels_N2)) % 64 >= agreeing_columns] += (0, 1.0, 0)
    confidence_N = np.ones(len(points_N3), np.float32)
    correspondences = Correspondences(pixels_N2, points_N3, confidence_N, CAMERA, np.eye(4))
    return wall_image(estimate_at(correspondences, map_T_camera, CONFIG))


def wall_image(estimate):
    keyframe, (view,) = wall_keyframe(), single_view(None, CAMERA)
    return MatchedImage(view, keyframe.image, (0,), (keyframe,), gather_scene([keyframe]), None, estimate)


def without_pose(image):
    return replace(image, estimate=PoseEstimate(image.estimate.correspondences, None))


def of_ratios(inlier_ratio, visible_inlier_ratio):
    counts = CellCounts(1000, round(1000 * inlier_ratio), 500, round(500 * visible_inlier_ratio))
    return confidence_of(counts, WEIGHTS)


def test_a_pose_is_accepted_when_what_should_see_the_map_agrees():
    verdict = verify([image_at(ASIDE, agreeing_columns=16)], CONFIG)
    assert isinstance(verdict, Accepted)
    assert verdict.support.inlier_ratio == 0.25
    assert (verdict.map_T_rig == ASIDE).all()


def test_a_look_alike_is_rejected_when_most_of_what_should_see_the_map_disagrees():
    verdict = verify([image_at(AT_KEYFRAME, agreeing_columns=16)], CONFIG)
    assert verdict.support.inlier_ratio == 0.25
    assert verdict.reason is Reason.LOW_CONFIDENCE
    assert verdict.detail.endswith("0.25 of the cells agree, of those that should see the map from there 0.25")


def test_the_confidence_that_fails_is_named_with_its_limit():
    verdict = verify([image_at(AT_KEYFRAME, agreeing_columns=16)], CONFIG)
    assert 0 < verdict.support.confidence < CONFIG.min_confidence
    assert verdict.detail.startswith(
        f"confidence {verdict.support.confidence:.2f} is below {CONFIG.min_confidence:.2f}: "
    )


def test_the_limit_is_the_one_given():
    image = image_at(AT_KEYFRAME, agreeing_columns=16)
    confidence = verify([image], CONFIG).support.confidence
    for limit, kind in ((confidence - 0.01, Accepted), (confidence + 0.01, Rejected)):
        assert isinstance(verify([image], replace(CONFIG, min_confidence=limit)), kind)


def test_a_pose_far_from_every_keyframe_is_rejected():
    far = make_pose(np.eye(3), [0.0, 0.0, -6.0])
    verdict = verify([image_at(far, agreeing_columns=64)], CONFIG)
    assert verdict.reason is Reason.CONTRADICTS_MAP
    assert "6.0 m from the nearest keyframe used, limit 5.0 m" in verdict.detail


def test_few_inliers_are_rejected_however_sure_the_rest_is():
    image = image_at(ASIDE, agreeing_columns=16)
    inliers = image.estimate.inlier_count
    verdict = verify([image], replace(CONFIG, min_inliers=inliers + 1))
    assert verdict.reason is Reason.TOO_FEW_INLIERS
    assert verdict.detail == f"{inliers} of 3072 cells agree, {inliers + 1} are needed"


def test_without_a_pose_there_is_no_confidence():
    verdict = verify([without_pose(image_at(AT_KEYFRAME, agreeing_columns=64))], CONFIG)
    assert verdict.reason is Reason.NO_POSE
    assert verdict.support.confidence == 0


def test_too_few_matched_cells_are_named_before_the_missing_pose():
    for count in (0, 20):
        image = image_at(AT_KEYFRAME, agreeing_columns=64)
        few = replace(image, estimate=PoseEstimate(image.estimate.correspondences.first(count), None))
        verdict = verify([few], CONFIG)
        assert verdict.reason is Reason.TOO_FEW_CANDIDATES
        assert verdict.detail == f"{count} cells matched the map, 100 are needed"


def test_cells_of_all_cameras_count_together():
    """A second camera that saw something else lowers the confidence of the first one's pose."""
    sure, lost = (image_at(AT_KEYFRAME, agreeing_columns=columns) for columns in (64, 0))
    alone, together = verify([sure], CONFIG).support, verify([sure, lost], EVERY_CELL).support
    assert (alone.inlier_ratio, alone.visible_inlier_ratio) == (1, 1)
    assert (together.inlier_ratio, together.visible_inlier_ratio) == (0.5, 0.5)
    assert together.confidence < alone.confidence
    assert together.keyframe_ids == (0,)


def test_the_most_confident_cells_of_all_cameras_count():
    """A covered camera, whose cells are less confident than those of the other, has no say."""
    sure, covered = image_at(AT_KEYFRAME, agreeing_columns=64), image_at(AT_KEYFRAME, agreeing_columns=0)
    doubtful = replace(covered.estimate.correspondences, confidence_N=np.full(3072, 0.2, np.float32))
    covered = replace(covered, estimate=estimate_at(doubtful, AT_KEYFRAME, CONFIG))
    assert verify([sure, covered], CONFIG).support == verify([sure], EVERY_CELL).support
    assert verify([sure, covered], EVERY_CELL).support.inlier_ratio == 0.5


def test_the_pose_of_a_rig_is_that_of_its_frame():
    rig_T_camera = make_pose(np.eye(3), [0.1, 0.2, 0.3])
    image = image_at(AT_KEYFRAME, agreeing_columns=64)
    image = replace(image, view=replace(image.view, rig_T_camera=rig_T_camera))
    assert verify([image], CONFIG).map_T_rig == pytest.approx(AT_KEYFRAME @ np.linalg.inv(rig_T_camera))


def test_ratios_are_of_what_was_asked():
    counts = CellCounts(cells=1000, inliers=250, visible=200, visible_inliers=150)
    assert (counts.inlier_ratio, counts.visible_inlier_ratio) == (0.25, 0.75)
    assert (CellCounts().inlier_ratio, CellCounts().visible_inlier_ratio) == (0, 0)


def test_log_odds_are_the_weighted_ratios():
    weights = ConfidenceWeights(bias=-2.0, inlier_ratio=1.0, visible_inlier_ratio=2.0)
    assert confidence_of(CellCounts(10, 10, 10, 5), weights) == pytest.approx(0.5)
    assert confidence_of(CellCounts(10, 10, 10, 10), weights) == pytest.approx(0.7310586)


def test_nothing_that_agrees_is_no_confidence():
    assert confidence_of(CellCounts(1000, 0, 500, 0), ConfidenceWeights(bias=3.0)) == 0


def test_more_agreement_is_more_confidence():
    grid = [0.1, 0.3, 0.5, 0.7, 0.9]
    for ratio in grid:
        for values in ([of_ratios(ratio, other) for other in grid], [of_ratios(other, ratio) for other in grid]):
            assert values == sorted(values)
            assert len(set(values)) == len(values)


def test_textured_places_pass_and_other_places_do_not():
    """Ratios as measured in rendered rooms: right poses, partly mapped ones, the worst of other places."""
    assert of_ratios(0.97, 0.97) > 0.99
    assert of_ratios(0.25, 0.9) > CONFIG.min_confidence
    assert of_ratios(0.07, 0.16) < 0.1
    assert of_ratios(0.33, 0.34) < CONFIG.min_confidence
