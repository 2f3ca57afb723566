import cv2
import numpy as np
import pytest
from textured_plane import CAMERA, MAP_T_PLANE, keyframe, view

from dsm_ros.geometry.pose import invert, make_pose, transform
from dsm_ros.scene_map.keyframe_patches import PLANE_RADIUS_PX, all_patches, keyframe_patches

POSE = make_pose(cv2.Rodrigues(np.array([0.1, 0.2, -0.1]))[0], [0.2, -0.1, 0.3])


@pytest.fixture(scope="module")
def patches():
    return keyframe_patches(keyframe(POSE, *view(POSE)))


def test_points_lie_on_the_surface(patches):
    assert len(patches) > 200
    assert np.abs(transform(invert(MAP_T_PLANE), patches.points_N3)[:, 2]).max() < 0.002


def test_tangents_lie_on_the_surface_and_move_the_point_by_a_pixel(patches):
    normal_3 = MAP_T_PLANE[:3, 2]
    along_N3, down_N3 = np.moveaxis(patches.tangents_N32, 2, 0)
    assert np.abs(along_N3 @ normal_3).max() < 0.1 * np.linalg.norm(along_N3, axis=1).min()
    pixels_N2 = CAMERA.project(transform(invert(POSE), patches.points_N3))
    for tangent_N3, step in ((along_N3, (1, 0)), (down_N3, (0, 1))):
        moved_N2 = CAMERA.project(transform(invert(POSE), patches.points_N3 + tangent_N3))
        assert np.abs(moved_N2 - pixels_N2 - step).max() < 0.05


def test_points_without_depth_or_across_an_edge_are_left_out():
    image_HW3, depth_HW = view(POSE)
    depth_HW[:, 300:] = 0
    depth_HW[:, :150] *= 0.7
    points_N3 = keyframe_patches(keyframe(POSE, image_HW3, depth_HW)).points_N3
    pixels_N2 = CAMERA.project(transform(invert(POSE), points_N3))
    assert len(points_N3) > 50
    assert pixels_N2[:, 0].max() < 300
    off_N = np.abs(transform(invert(MAP_T_PLANE), points_N3)[:, 2])
    right_N = pixels_N2[:, 0] > 150
    assert off_N[right_N].max() < 0.002  # no point takes the depth of the other side


def test_points_beside_an_edge_of_the_depth_are_kept():
    """The depths beyond the edge do not count as roughness of the surface."""
    image_HW3, depth_HW = view(POSE)
    depth_HW[:, :150] *= 0.7
    points_N3 = keyframe_patches(keyframe(POSE, image_HW3, depth_HW)).points_N3
    u_N = CAMERA.project(transform(invert(POSE), points_N3))[:, 0]
    assert (np.abs(u_N - 150) < PLANE_RADIUS_PX - 1).sum() > 3


def test_rough_surfaces_are_left_out():
    image_HW3, depth_HW = view(POSE)
    noise_HW = np.random.default_rng(0).normal(0, 0.04, depth_HW.shape).astype(np.float32)
    assert len(keyframe_patches(keyframe(POSE, image_HW3, depth_HW * (1 + noise_HW)))) < 20


@pytest.mark.parametrize("grey", [0, 90, 255])
def test_a_blank_image_has_no_patches(grey):
    image_HW3, depth_HW = view(POSE)
    patches = keyframe_patches(keyframe(POSE, np.full_like(image_HW3, grey), depth_HW))
    assert len(patches) == 0
    assert [level.samples_NP.shape[0] for level in patches.levels] == [0, 0, 0]


def test_an_image_without_depth_has_no_patches():
    image_HW3, depth_HW = view(POSE)
    assert len(keyframe_patches(keyframe(POSE, image_HW3, np.zeros_like(depth_HW)))) == 0


def test_the_size_in_memory_counts_every_array(patches):
    levels = [array for level in patches.levels for array in (level.samples_NP, level.gain_N2P)]
    arrays = [patches.points_N3, patches.centres_N3, patches.tangents_N32, *levels]
    assert patches.nbytes == sum(array.nbytes for array in arrays)


def test_patches_of_keyframes_are_joined(patches):
    assert len(all_patches([])) == 0
    both = all_patches([patches, patches])
    assert len(both) == 2 * len(patches)
    assert both.levels[2].gain_N2P.shape[0] == 2 * len(patches)
