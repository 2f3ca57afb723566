import numpy as np
import pytest
import torch

from dsm_ros.geometry.camera import Camera
from dsm_ros.training.config import TrainConfig
from dsm_ros.training.episode import make_episode

CAMERA = Camera(96, 64, 80.0, 80.0, 47.5, 31.5)


@pytest.fixture
def config():
    return TrainConfig(steps=4, episodes=2, views=4, queries=2, width_px=96, height_px=64, warmup_steps=1, pool=2)


@pytest.fixture
def wall():
    """A source of views along a textured wall 2 m away, another texture for each number."""
    return WallEpisodes()


class WallEpisodes:
    def __init__(self, offsets_px=(0, 8, 16, 24)):
        self.offsets_px = offsets_px

    def __getitem__(self, index):
        texture_HW3 = np.random.default_rng(index).integers(0, 255, (16, 40, 3), dtype=np.uint8)
        texture_HW3 = texture_HW3.repeat(6, 0).repeat(6, 1)
        images = np.stack([texture_HW3[:64, x : x + 96] for x in self.offsets_px])
        poses = np.tile(np.eye(4), (4, 1, 1))
        poses[:, 0, 3] = [x / CAMERA.fx * 2.0 for x in self.offsets_px]
        depths = torch.full((4, 64, 96), 2.0)
        return make_episode(torch.from_numpy(images), depths, [CAMERA] * 4, poses)
