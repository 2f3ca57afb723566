"""Search for the keyframes that are nearest in appearance or position."""

import numpy as np
import pytest
import torch

from dsm_ros.geometry.pose import make_pose
from dsm_ros.scene_map.keyframe_index import KeyframeIndex


def turned(degrees):
    """A rotation about the camera's vertical axis."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


DESCRIPTORS_ND = torch.nn.functional.normalize(torch.rand(11, 40, generator=torch.Generator().manual_seed(1)))


@pytest.fixture
def index():
    """Cameras every metre along x that look forward, and one at the origin that looks back."""
    poses = [make_pose(np.eye(3), [x, 0, 0]) for x in range(10)] + [make_pose(turned(180), [0, 0, 0])]
    return KeyframeIndex(range(100, 111), np.stack(poses), DESCRIPTORS_ND)


def test_the_nearest_come_first_and_none_that_looks_elsewhere(index):
    assert index.nearest(make_pose(np.eye(3), [2.1, 0, 0]), 3) == [102, 103, 101]
    assert index.nearest(make_pose(np.eye(3), [0, 0, 0]), 20) == [100, 101, 102, 103]
    assert index.nearest(make_pose(turned(180), [0, 0, 0]), 20) == [110]


def test_far_from_everything_there_is_none(index):
    assert index.nearest(make_pose(np.eye(3), [0, 50, 0]), 4) == []


def test_a_descriptor_finds_its_keyframe(index):
    assert index.retrieve(DESCRIPTORS_ND[7], 2)[0] == 107
