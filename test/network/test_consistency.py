"""Distances between the coordinates of neighbouring cells, compared with those on a plausible surface."""

import math

import pytest
import torch

from dsm_ros.geometry.camera import Camera
from dsm_ros.network.consistency import CONSISTENCY_CHANNELS, coordinate_consistency
from dsm_ros.network.grids import pixel_rays

RAYS_B2HW = pixel_rays(Camera(64, 48, 60.0, 60.0, 31.5, 23.5), 12, 16, torch.device("cpu"))[None]
MEAN, SIZE, SHARE = 0, 1, 2  # channels of the nearest neighbours


def wall(distance_m=2.0):
    """Coordinates of a wall that faces the camera."""
    return torch.cat([RAYS_B2HW, torch.ones(1, 1, 12, 16)], dim=1) * distance_m


@pytest.mark.parametrize("distance_m", [0.5, 2.0, 8.0])
def test_a_wall_is_plausible_at_any_distance(distance_m):
    found = coordinate_consistency(wall(distance_m), wall(distance_m), RAYS_B2HW)
    assert found.shape == (1, CONSISTENCY_CHANNELS, 12, 16)
    for first in (0, 3, 6):
        assert found[:, first + SIZE, 4:-4, 4:-4].max() < 0.2
        assert found[:, first + SHARE, 4:-4, 4:-4].min() == 1


def test_a_cell_far_from_its_neighbours_stands_out():
    coords_B3HW = wall()
    coords_B3HW[..., 5, 7] += 1.0
    found_CHW = coordinate_consistency(coords_B3HW, coords_B3HW, RAYS_B2HW)[0]
    assert found_CHW[SIZE, 5, 7] > 1
    assert found_CHW[MEAN, 5, 7] > 1
    assert found_CHW[SHARE, 5, 7] < 0.2
    assert found_CHW[SIZE].median() < 0.2


def test_neighbours_are_compared_at_three_distances():
    coords_B3HW = wall()
    plain_CHW = coordinate_consistency(coords_B3HW, coords_B3HW, RAYS_B2HW)[0]
    coords_B3HW[..., 5, 7] += 1.0
    change_CHW = coordinate_consistency(coords_B3HW, coords_B3HW, RAYS_B2HW)[0] - plain_CHW
    changed = [[abs(change_CHW[first + MEAN, 5, 7 + cells]) > 0.1 for cells in (1, 2, 4)] for first in (0, 3, 6)]
    assert changed == [[True, False, False], [False, True, False], [False, False, True]]


def test_a_surface_beyond_the_range_is_compared_with_a_surface_at_10_m():
    found_CHW = coordinate_consistency(wall(30.0), wall(30.0), RAYS_B2HW)[0]
    assert found_CHW[MEAN, 4:-4, 4:-4].mean() == pytest.approx(math.log(3), abs=0.1)


def test_cells_that_share_one_coordinate_stand_out():
    coords_B3HW = wall()
    coords_B3HW[..., 4:8, 4:8] = coords_B3HW[..., 5:6, 5:6]
    found_CHW = coordinate_consistency(coords_B3HW, coords_B3HW, RAYS_B2HW)[0]
    assert found_CHW[MEAN, 5, 5] < -1.9


def test_the_last_channel_compares_with_the_coarser_level():
    coords_B3HW = wall()
    found_CHW = coordinate_consistency(coords_B3HW, coords_B3HW + 1.0, RAYS_B2HW)[0]
    same_CHW = coordinate_consistency(coords_B3HW, coords_B3HW, RAYS_B2HW)[0]
    assert found_CHW[-1].min() > 1
    assert same_CHW[-1].max() < -1.9
    assert torch.equal(found_CHW[:-1], same_CHW[:-1])


def test_equal_coordinates_give_finite_channels():
    same_B3HW = torch.zeros(2, 3, 4, 5)
    assert coordinate_consistency(same_B3HW, same_B3HW, RAYS_B2HW[:, :, :4, :5].expand(2, -1, -1, -1)).isfinite().all()
