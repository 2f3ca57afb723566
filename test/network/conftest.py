import numpy as np
import pytest
import torch

from dsm_ros.geometry.camera import Camera
from dsm_ros.network.features import ImageFeatures, KeyframeFeatures

CAMERA = Camera(64, 48, 60.0, 60.0, 31.5, 23.5)


@pytest.fixture
def keyframe():
    """Make a small keyframe of random features: two levels of 3x4 and 6x8 cells, 1.5 to 2.5 m away."""
    return make_keyframe


def make_keyframe(seed, x=0.0, hole=False, channels=8, map_T_world=None):
    generator = torch.Generator().manual_seed(seed)
    levels = tuple(
        torch.nn.functional.normalize(torch.randn(channels, h, w, generator=generator), dim=0)
        for h, w in ((3, 4), (6, 8))
    )
    depths = tuple(torch.rand(h, w, generator=generator) + 1.5 for h, w in ((3, 4), (6, 8)))
    if hole:
        for depth in depths:
            depth[:2, :2] = 0
    pose = np.eye(4)
    pose[0, 3] = 1000 + x
    if map_T_world is not None:
        pose = map_T_world @ pose
    return KeyframeFeatures(ImageFeatures(levels, torch.ones(4), CAMERA), depths, pose)
