import numpy as np
import pytest
import torch

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
