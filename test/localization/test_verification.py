"""Verification on a wall that one keyframe has mapped, without a network, and the confidence of a pose."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
import torch

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.correspondences import Correspondences
from dsm_ros.geometry.pose import make_pose
from dsm_ros.geometry.sampling import cell_centres
from dsm_ros.localization.config import ConfidenceWeights, LocalizerConfig
from dsm_ros.localization.matching import MatchedImage, SearchArea
from dsm_ros.localization.pose_estimation import evaluate_pose
from dsm_ros.localization.result import Reason, Support
from dsm_ros.localization.verification import IMPRECISE_M, Accepted, CellCounts, Rejected, check, confidence_of, verify
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
PRECISE_66 = 1e-6 * np.eye(6)


def wall_keyframe():
    levels = torch.zeros(1, 24, 32), torch.zeros(1, 48, 64)
    depths = tuple(torch.full(level.shape[1:], WALL_M) for level in levels)
    return KeyframeFeatures(ImageFeatures(levels, torch.zeros(1), CAMERA), depths, AT_KEYFRAME)


def estimate_at(map_T_camera, agreeing_columns, confidence=1.0):
    """The estimate of an image of which the leftmost cell columns (of 64) agree with the pose, and no others."""
    pixels_N2 = cell_centres(64, 48, CAMERA.width_px, CAMERA.height_px)
    points_N3 = CAMERA.unproject(pixels_N2) * WALL_M + map_T_camera[:3, 3]
    points_N3[np.arange(len(pixels_N2)) % 64 >= agreeing_columns] += (0, 1.0, 0)
    confidence_N = np.full(len(points_N3), confidence, np.float32)
    cells = Correspondences(pixels_N2, points_N3, confidence_N, CAMERA, np.eye(4))
    keyframe, (view,) = wall_keyframe(), single_view(None, CAMERA)
    image = MatchedImage(view, keyframe.image, SearchArea((0,)), (keyframe,), gather_scene([keyframe]), None, cells)
    return evaluate_pose(image, cells, map_T_camera, CONFIG)


def without_pose(estimate, count):
    return evaluate_pose(estimate.image, estimate.correspondences.first(count), None, CONFIG)


def verdict_on(estimates, config, followed_ratio=0.1):
    """The verdict on estimates with a share of followed patches."""
    checked = check(estimates, config)
    if isinstance(checked, Rejected):
        return checked
    support = replace(checked.support, followed_ratio=followed_ratio)
    return verify(replace(checked, support=support, covariance_66=PRECISE_66), config)


def of_ratios(inlier_ratio, visible_inlier_ratio, followed_ratio):
    support = Support(round(1000 * inlier_ratio), inlier_ratio, 0, (), visible_inlier_ratio, followed_ratio)
    return confidence_of(support, 0.001, WEIGHTS)


def test_a_pose_is_accepted_when_what_should_see_the_map_agrees():
    verdict = verdict_on([estimate_at(ASIDE, agreeing_columns=16)], CONFIG)
    assert isinstance(verdict, Accepted)
    assert verdict.support.inlier_ratio == 0.25
    assert (verdict.map_T_rig == ASIDE).all()


def test_a_look_alike_is_rejected_when_most_of_what_should_see_the_map_disagrees():
    verdict = verdict_on([estimate_at(AT_KEYFRAME, agreeing_columns=16)], CONFIG)
    assert verdict.support.inlier_ratio == 0.25
    assert verdict.reason is Reason.LOW_CONFIDENCE
    cells = "0.25 of all cells agree with the pose, and of the visible cells 0.25"
    assert verdict.detail.endswith(f"{cells}, and 0.10 of the patches were found")


def test_the_confidence_that_fails_is_named_with_its_limit():
    verdict = verdict_on([estimate_at(AT_KEYFRAME, agreeing_columns=16)], CONFIG)
    assert 0 < verdict.support.confidence < CONFIG.min_confidence
    assert verdict.detail.startswith(
        f"confidence {verdict.support.confidence:.2f} is below {CONFIG.min_confidence:.2f}: "
    )


def test_the_limit_is_the_one_given():
    estimate = estimate_at(AT_KEYFRAME, agreeing_columns=16)
    confidence = verdict_on([estimate], CONFIG).support.confidence
    for limit, kind in ((confidence - 0.01, Accepted), (confidence + 0.01, Rejected)):
        assert isinstance(verdict_on([estimate], replace(CONFIG, min_confidence=limit)), kind)


def test_a_pose_far_from_every_keyframe_is_rejected():
    far = make_pose(np.eye(3), [0.0, 0.0, -6.0])
    verdict = verdict_on([estimate_at(far, agreeing_columns=64)], CONFIG)
    assert verdict.reason is Reason.CONTRADICTS_MAP
    assert verdict.detail == "the pose is 6.0 m from the nearest keyframe used, limit 5.0 m"


def test_few_inliers_are_rejected_however_sure_the_rest_is():
    estimate = estimate_at(ASIDE, agreeing_columns=16)
    inliers = int(estimate.inliers_N.sum())
    verdict = verdict_on([estimate], replace(CONFIG, min_inliers=inliers + 1))
    assert verdict.reason is Reason.TOO_FEW_INLIERS
    assert verdict.detail == f"{inliers} of 3072 cells agree with the pose, min_inliers is {inliers + 1}"


def test_without_a_pose_there_is_no_confidence():
    verdict = verdict_on([without_pose(estimate_at(AT_KEYFRAME, agreeing_columns=64), 3072)], CONFIG)
    assert verdict.reason is Reason.NO_POSE
    assert verdict.support.confidence == 0


def test_too_few_matched_cells_are_named_before_the_missing_pose():
    for count in (0, 20):
        verdict = verdict_on([without_pose(estimate_at(AT_KEYFRAME, agreeing_columns=64), count)], CONFIG)
        assert verdict.reason is Reason.TOO_FEW_CANDIDATES
        assert verdict.detail == f"{count} cells matched the map, min_inliers is 100"


def test_cells_of_all_cameras_count_together():
    """A second camera that saw something else lowers the confidence of the first one's pose."""
    sure, lost = (estimate_at(AT_KEYFRAME, agreeing_columns=columns) for columns in (64, 0))
    alone, together = verdict_on([sure], CONFIG).support, verdict_on([sure, lost], EVERY_CELL).support
    assert (alone.inlier_ratio, alone.visible_inlier_ratio) == (1, 1)
    assert (together.inlier_ratio, together.visible_inlier_ratio) == (0.5, 0.5)
    assert together.confidence < alone.confidence
    assert together.keyframe_ids == (0,)


def test_the_most_confident_cells_of_all_cameras_count():
    """A covered camera, whose cells are less confident than those of the other, has no say."""
    sure = estimate_at(AT_KEYFRAME, agreeing_columns=64)
    covered = estimate_at(AT_KEYFRAME, agreeing_columns=0, confidence=0.2)
    assert verdict_on([sure, covered], CONFIG).support == verdict_on([sure], EVERY_CELL).support
    assert verdict_on([sure, covered], EVERY_CELL).support.inlier_ratio == 0.5


def test_the_pose_of_a_rig_is_that_of_its_frame():
    rig_T_camera = make_pose(np.eye(3), [0.1, 0.2, 0.3])
    estimate = estimate_at(AT_KEYFRAME, agreeing_columns=64)
    view = replace(estimate.image.view, rig_T_camera=rig_T_camera)
    estimate = replace(estimate, image=replace(estimate.image, view=view))
    assert verdict_on([estimate], CONFIG).map_T_rig == pytest.approx(AT_KEYFRAME @ np.linalg.inv(rig_T_camera))


def test_ratios_are_of_what_was_asked():
    counts = CellCounts(cells=1000, inliers=250, visible=200, visible_inliers=150)
    assert (counts.inlier_ratio, counts.visible_inlier_ratio) == (0.25, 0.75)
    assert (CellCounts().inlier_ratio, CellCounts().visible_inlier_ratio) == (0, 0)


def test_log_odds_are_the_weighted_ratios():
    weights = ConfidenceWeights(bias=-2.5, inlier_ratio=1.0, visible_inlier_ratio=2.0, precise_ratio=1.0)
    assert confidence_of(Support(10, 1.0, 0, (), 0.5, 0.5), 0.0, weights) == pytest.approx(0.5)
    assert confidence_of(Support(10, 1.0, 0, (), 1.0, 0.5), 0.0, weights) == pytest.approx(0.7310586)
    assert confidence_of(Support(10, 1.0, 0, (), 0.5, 1.0), 0.0, weights) == pytest.approx(0.6224593)
    assert confidence_of(Support(10, 1.0, 0, (), 0.5, 1.0), IMPRECISE_M, weights) == pytest.approx(0.5)


def test_nothing_that_agrees_is_no_confidence():
    assert confidence_of(Support(), 0.001, ConfidenceWeights(bias=3.0)) == 0


@pytest.mark.parametrize("grown", range(3))
def test_more_agreement_is_more_confidence(grown):
    grid = [0.1, 0.3, 0.5, 0.7, 0.9]
    for others in product(grid, grid):
        values = [of_ratios(*others[:grown], value, *others[grown:]) for value in grid]
        assert values == sorted(values)
        assert len(set(values)) == len(values)


def test_textured_places_pass_and_other_places_do_not():
    """Ratios as measured in rendered rooms: right poses, partly mapped ones, the worst of other places."""
    assert of_ratios(0.97, 0.97, 0.8) > 0.99
    assert of_ratios(0.25, 0.9, 0.4) > CONFIG.min_confidence
    assert of_ratios(0.07, 0.16, 0.0) < 0.1
    assert of_ratios(0.33, 0.34, 0.0) < CONFIG.min_confidence


def test_an_unsure_pose_is_accepted_where_its_patches_are_found():
    estimate = estimate_at(AT_KEYFRAME, agreeing_columns=24)
    assert verdict_on([estimate], CONFIG, followed_ratio=0.0).reason is Reason.LOW_CONFIDENCE
    verdict = verdict_on([estimate], CONFIG, followed_ratio=0.9)
    assert (verdict.covariance_66 == PRECISE_66).all()
    assert verdict.support.followed_ratio == 0.9


def test_found_patches_count_less_where_the_position_is_uncertain():
    support = Support(500, 0.5, 0, (), 0.5, 0.6)
    values = [confidence_of(support, deviation_m, WEIGHTS) for deviation_m in (0.001, 0.05, 0.2, 1.0)]
    assert values == sorted(values, reverse=True)
    assert values[0] > values[-1] + 0.3
