from dataclasses import replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from textured_plane import CAMERA, keyframe, view

from dsm_ros.geometry.correspondences import Correspondences
from dsm_ros.geometry.pose import make_pose, pose_error, transform
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.pose_estimation import evaluate_pose
from dsm_ros.localization.refinement import COVARIANCE_FACTOR, Refiner, at_refined_pose
from dsm_ros.localization.result import Support
from dsm_ros.localization.verification import CheckedPose
from dsm_ros.localization.view import View, single_view
from dsm_ros.scene_map.keyframe_patches import keyframe_patches

from .localizers import needs_poselib

TRUTH = make_pose(cv2.Rodrigues(np.array([0.05, -0.1, 0.03]))[0], [0.1, 0.05, -0.1])
OFF = make_pose(cv2.Rodrigues(np.array([0.008, -0.01, 0.008]))[0], [0.02, -0.015, 0.02])  # 0.9 degrees, 3.2 cm
START = TRUTH @ OFF
EXACT_M, EXACT_DEG = 0.0015, 0.03


class PlaneMap:
    """A map of one keyframe at the origin."""

    def __init__(self, change_depth=lambda depth_HW: depth_HW):
        image_HW3, depth_HW = view(np.eye(4))
        self._patches = keyframe_patches(keyframe(np.eye(4), image_HW3, change_depth(depth_HW)))

    def nearest(self, map_T_camera, count):
        return [1]

    def patches(self, ids):
        return [self._patches for _ in ids]


@pytest.fixture(scope="module")
def refiner():
    return Refiner(PlaneMap())


@pytest.fixture(scope="module")
def image_HW3():
    return view(TRUTH)[0]


def refined(refiner, image_HW3, start=START):
    return refiner.refine(single_view(image_HW3, CAMERA), start)


def assert_exact(refinement, factor=1.0):
    distance_m, angle_deg = pose_error(refinement.map_T_rig, TRUTH)
    assert distance_m < EXACT_M * factor
    assert angle_deg < EXACT_DEG * factor


def test_a_known_movement_is_recovered(refiner, image_HW3):
    refinement = refined(refiner, image_HW3)
    assert_exact(refinement)
    assert refinement.followed_ratio > 0.8
    assert np.median(refinement.errors_N) < 0.2
    assert refinement.shift_px < 3  # of the second round, which starts at the pose of the first one


def test_the_right_pose_stays(refiner, image_HW3):
    refinement = refined(refiner, image_HW3, TRUTH)
    assert_exact(refinement)
    assert refinement.shift_px < 0.2


def test_the_same_images_give_the_same_pose(refiner, image_HW3):
    first, second = (refined(refiner, image_HW3) for _ in range(2))
    assert (first.map_T_rig == second.map_T_rig).all()


def test_exposure_changes_nothing(refiner, image_HW3):
    dark_HW3 = (15 + 0.5 * image_HW3).astype(np.uint8)
    assert_exact(refined(refiner, dark_HW3))


def test_blur_leaves_the_pose_in_the_middle(refiner, image_HW3):
    assert_exact(refined(refiner, cv2.blur(image_HW3, (9, 1))), factor=3)


def test_what_is_occluded_is_not_followed(refiner, image_HW3):
    occluded_HW3 = image_HW3.copy()
    occluded_HW3[100:, :250] = view(TRUTH, seed=5)[0][100:, :250]
    refinement = refined(refiner, occluded_HW3)
    assert_exact(refinement, factor=2)
    assert refinement.followed_ratio < 0.75


def test_wrong_depth_in_a_third_of_the_keyframe_is_outvoted(image_HW3):
    def change(depth_HW):
        rng = np.random.default_rng(0)
        factors = np.where(rng.random((8, 11)) < 0.33, rng.uniform(0.7, 1.3, (8, 11)), 1).astype(np.float32)
        return depth_HW * cv2.resize(factors, (512, 384), interpolation=cv2.INTER_NEAREST)

    assert_exact(refined(Refiner(PlaneMap(change)), image_HW3), factor=4)


def test_too_little_texture_gives_no_pose(refiner, image_HW3):
    assert refined(refiner, np.full_like(image_HW3, 120)) is None
    assert refined(refiner, view(TRUTH, seed=5)[0]) is None


def test_a_keyframe_without_depth_gives_no_pose(image_HW3):
    assert refined(Refiner(PlaneMap(np.zeros_like)), image_HW3) is None


def test_a_pose_that_looks_away_gives_no_pose(refiner, image_HW3):
    away = make_pose(np.diag([-1.0, 1.0, -1.0]), np.zeros(3))
    assert refined(refiner, image_HW3, away) is None


@needs_poselib
def test_all_cameras_of_a_rig_are_refined_together(refiner):
    mounts = [make_pose(np.eye(3), [x, 0.0, 0.0]) for x in (-0.2, 0.2)]
    views = [View(str(i), view(TRUTH @ mount)[0], CAMERA, mount) for i, mount in enumerate(mounts)]
    refinement = refiner.refine(views, START)
    assert_exact(refinement)
    assert all(len(followed) > 100 for followed in refinement.followed)
    covered = replace(views[1], image_HW3=np.zeros_like(views[1].image_HW3))
    assert_exact(refiner.refine([views[0], covered], START))


@pytest.mark.parametrize(("side_px", "is_found"), [(150, True), (100, False)])
def test_a_few_patches_give_no_pose(refiner, image_HW3, side_px, is_found):
    corner_HW3 = np.zeros_like(image_HW3)
    corner_HW3[:side_px, :side_px] = image_HW3[:side_px, :side_px]
    assert (refined(refiner, corner_HW3, TRUTH) is not None) == is_found


class ThirdsMap(PlaneMap):
    """A map of three keyframes at the origin, each with the depth of another third of the image."""

    def __init__(self):
        image_HW3, depth_HW = view(np.eye(4))
        thirds = [(np.arange(512) // 171 == third) * depth_HW for third in range(3)]
        self._keyframes = [keyframe_patches(keyframe(np.eye(4), image_HW3, third_HW)) for third_HW in thirds]

    def nearest(self, map_T_camera, count):
        return list(range(3))[:count]

    def patches(self, ids):
        return [self._keyframes[i] for i in ids]


def test_patches_of_several_keyframes_are_followed(refiner, image_HW3):
    (followed,) = refined(Refiner(ThirdsMap()), image_HW3).followed
    assert len(followed) > 0.8 * len(refined(refiner, image_HW3).followed[0])
    assert min(np.histogram(followed.pixels_N2[:, 0], 3, (0, 512))[0]) > 30


def test_more_patches_make_a_surer_pose(refiner, image_HW3):
    half_HW3 = image_HW3.copy()
    half_HW3[:, 300:] = 0
    whole, half = (refined(refiner, image).covariance_66 for image in (image_HW3, half_HW3))
    assert (np.diag(whole) < np.diag(half)).all()
    assert 1e-5 < np.sqrt(np.diag(whole)[:3]).max() < 0.005


CELLS_66 = np.diag([0.01, 0.01, 0.01, 0.005, 0.005, 0.005]) ** 2  # covariance of a pose on cells


def checked(image_HW3, cells_at=START, visible_inlier_ratio=1.0, covariance_66=CELLS_66):
    """A checked pose at START, and 500 cells that agree with the given pose."""
    rng = np.random.default_rng(0)
    pixels_N2 = rng.uniform((0, 0), (511, 383), (500, 2))
    points_N3 = transform(cells_at, CAMERA.unproject(pixels_N2) * rng.uniform(1.5, 3, (500, 1)))
    cells = Correspondences(pixels_N2, points_N3, np.ones(500, np.float32), CAMERA, np.eye(4))
    image = SimpleNamespace(view=single_view(image_HW3, CAMERA)[0])
    return CheckedPose(
        START,
        covariance_66,
        Support(inliers=500, visible_inlier_ratio=visible_inlier_ratio),
        (evaluate_pose(image, cells, START, LocalizerConfig()),),
    )


def at_refined(image_HW3, refinement, cells_at=TRUTH, covariance_66=CELLS_66):
    pose = checked(image_HW3, cells_at, covariance_66=covariance_66)
    return at_refined_pose(pose, refinement, LocalizerConfig())


def test_a_precise_refinement_replaces_the_pose_of_the_cells_and_gives_its_support(refiner, image_HW3):
    refinement = refined(refiner, image_HW3)
    moved = at_refined(image_HW3, refinement)
    assert_exact(replace(refinement, map_T_rig=moved.map_T_rig), factor=1.5)
    assert (moved.estimates[0].map_T_camera == moved.map_T_rig).all()
    assert moved.support.inliers == 500  # as before
    assert moved.support.followed_ratio == refinement.followed_ratio > 0.8
    alone = np.linalg.eigvalsh(refinement.covariance_66)
    assert (np.linalg.eigvalsh(moved.covariance_66 / COVARIANCE_FACTOR) < alone * (1 + 1e-9)).all()


@pytest.mark.parametrize(
    "weaker",
    [
        {"followed_ratio": 0.01},
        {"errors_N": np.full(50, 5.0), "parallax_deg": 20.0},  # errors of depth or calibration
    ],
)
def test_an_imprecise_refinement_moves_the_pose_little(refiner, image_HW3, weaker):
    refinement = replace(refined(refiner, image_HW3), **weaker)
    moved = at_refined(image_HW3, refinement, covariance_66=CELLS_66 / 100)
    assert pose_error(moved.map_T_rig, START)[0] < 0.2 * pose_error(START, TRUTH)[0]
    before = np.linalg.eigvalsh(CELLS_66 / 100)
    assert np.linalg.eigvalsh(moved.covariance_66 / COVARIANCE_FACTOR) == pytest.approx(before, rel=0.3)


def test_a_residual_at_a_small_parallax_is_no_systematic_error(refiner, image_HW3):
    refinement = replace(refined(refiner, image_HW3), errors_N=np.full(50, 2.0))
    near, far = (replace(refinement, parallax_deg=angle).covariance_66 for angle in (1.0, 20.0))
    assert np.trace(far) > 100 * np.trace(near)


def test_a_refined_pose_that_contradicts_the_cells_is_refused(refiner, image_HW3):
    refinement = refined(refiner, image_HW3)
    elsewhere = START @ make_pose(cv2.Rodrigues(np.array([0.009, -0.011, 0.0]))[0], np.zeros(3))
    unchanged = at_refined(image_HW3, refinement, elsewhere)
    assert (unchanged.map_T_rig == START).all()
    assert unchanged.support.followed_ratio == 0


def test_the_parallax_is_the_angle_between_the_rays_to_a_point(refiner, image_HW3):
    assert refined(refiner, view(np.eye(4))[0], np.eye(4)).parallax_deg < 0.1
    aside = make_pose(np.eye(3), [0.3, 0.0, 0.0])
    depth_m = np.median(view(np.eye(4))[1])
    found = refiner.refine(single_view(view(aside)[0], CAMERA), aside)
    assert found.parallax_deg == pytest.approx(np.degrees(np.arctan(0.3 / depth_m)), rel=0.2)


def test_the_covariance_is_larger_where_visible_cells_contradict_the_pose(refiner, image_HW3):
    refinement, config = refined(refiner, image_HW3), LocalizerConfig()
    sure, unsure = (
        at_refined_pose(checked(image_HW3, TRUTH, share), refinement, config).covariance_66 for share in (1.0, 0.5)
    )
    assert unsure == pytest.approx(4 * sure)


def test_no_visible_cell_that_agrees_gives_a_finite_covariance(refiner, image_HW3):
    refinement, config = refined(refiner, image_HW3), LocalizerConfig()
    none, few = (at_refined_pose(checked(image_HW3, TRUTH, share), refinement, config) for share in (0.0, 0.1))
    assert none.covariance_66 == pytest.approx(few.covariance_66)
