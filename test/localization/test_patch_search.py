"""Patches are expected where a camera should see them, and found only where their alignment has converged."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from textured_plane import CAMERA, keyframe, view

from dsm_ros.geometry.patches import LEVELS, grey_pyramid
from dsm_ros.geometry.pose import make_pose
from dsm_ros.localization.patch_search import SearchedImage, expected_patches, follow
from dsm_ros.scene_map.keyframe_patches import LONG_SIDE_PX, all_patches, keyframe_patches

ORIGIN = np.eye(4)


@pytest.fixture(scope="module")
def patches():
    return keyframe_patches(keyframe(ORIGIN, *view(ORIGIN)))


def searched(image_HW3, patches):
    return SearchedImage(*grey_pyramid(image_HW3, CAMERA, LONG_SIDE_PX), ORIGIN, patches)


def enlarged(patches, factor):
    """The same patches on a surface at another distance from the origin, where they cover the same pixels."""
    return replace(patches, points_N3=patches.points_N3 * factor, tangents_N32=patches.tangents_N32 * factor)


def test_patches_behind_a_nearer_surface_are_not_expected(patches):
    image = searched(view(ORIGIN)[0], all_patches([enlarged(patches, 2.0), patches]))
    expected = expected_patches(image, ORIGIN)
    assert len(expected.patches) > 200
    assert set(map(tuple, expected.patches.points_N3)) <= set(map(tuple, patches.points_N3))


def test_patches_at_nearly_the_same_depth_do_not_hide_each_other(patches):
    alone = expected_patches(searched(view(ORIGIN)[0], patches), ORIGIN)
    both = expected_patches(searched(view(ORIGIN)[0], all_patches([enlarged(patches, 1.02), patches])), ORIGIN)
    assert len(both.patches) > 1.9 * len(alone.patches)


@pytest.mark.parametrize(("distance_m", "is_expected"), [(0.3, True), (-0.6, True), (1.8, False), (-6.0, False)])
def test_patches_that_look_much_larger_or_smaller_are_not_expected(patches, distance_m, is_expected):
    forward = make_pose(np.eye(3), [0.0, 0.0, distance_m])
    assert bool(len(expected_patches(searched(view(forward)[0], patches), forward).patches)) == is_expected


def test_a_patch_whose_alignment_has_not_converged_is_not_found(patches):
    image_HW3, depth_HW = view(ORIGIN)
    smooth_HW3 = cv2.GaussianBlur(image_HW3, (0, 0), 8.0)
    moved_HW3 = cv2.warpAffine(smooth_HW3, np.array([[1.0, 0, 6.5], [0, 1, 0]]), (512, 384))
    image = searched(moved_HW3, keyframe_patches(keyframe(ORIGIN, smooth_HW3, depth_HW)))
    expected = expected_patches(image, ORIGIN)
    assert len(follow(image, expected, LEVELS)) > 0.8 * len(expected.patches)
    assert len(follow(image, expected, 1)) == 0  # three steps of at most 1.5 px end before the shift of 6.5 px
