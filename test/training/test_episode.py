import numpy as np
import pytest
import torch

from dsm_ros.training.cached_episodes import CachedEpisodes
from dsm_ros.training.episode import overlap

from .conftest import CAMERA


def poses(*x_m):
    stacked = np.tile(np.eye(4), (len(x_m), 1, 1))
    stacked[:, 0, 3] = x_m
    return stacked


def test_overlap_is_the_share_of_the_wall_that_is_visible():
    depths = torch.full((3, 64, 96), 2.0)
    shares = overlap(depths, [CAMERA] * 3, poses(0.0, 1.2, 5.0))
    assert shares[0, 0] == 1
    assert shares[0, 1] == pytest.approx(0.5, abs=0.01)  # 1.2 m at 2 m are 48 of 96 px
    assert shares[0, 2] == 0


def test_a_surface_behind_another_is_not_visible():
    depths = torch.stack([torch.full((64, 96), 2.0), torch.full((64, 96), 1.0)])
    assert overlap(depths, [CAMERA] * 2, poses(0.0, 0.1))[0, 1] == 0


def test_a_view_without_depth_overlaps_with_none():
    depths = torch.stack([torch.zeros(64, 96), torch.full((64, 96), 2.0)])
    assert overlap(depths, [CAMERA] * 2, poses(0.0, 0.0))[0, 1] == 0


def test_cached_episodes_are_made_once_and_read_back(tmp_path, wall):
    class Counting:
        made = 0

        def __getitem__(self, index):
            self.made += 1
            return wall[index]

    source = Counting()
    cached = CachedEpisodes(source, tmp_path)
    first, again = cached[3], cached[3]
    assert source.made == 1
    assert (again.images_VHW3 == wall[3].images_VHW3).all()
    assert torch.allclose(again.depths_VHW, wall[3].depths_VHW, atol=1e-3)
    assert again.cameras == first.cameras == wall[3].cameras
    assert (again.overlap_VV == wall[3].overlap_VV).all()
