"""Episodes from procedural rooms."""

from __future__ import annotations

import numpy as np
import torch

from dsm_ros.datasets.rooms.model import make_room
from dsm_ros.datasets.rooms.render import render
from dsm_ros.datasets.rooms.scene import Room, RoomStyle
from dsm_ros.datasets.rooms.texture_pack import TextureLibrary
from dsm_ros.datasets.rooms.view import random_view
from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44, pose_error
from dsm_ros.training.config import TrainConfig
from dsm_ros.training.episode import Episode, make_episode

FIRST_SEED = 1_000_000  # far from the rooms that anybody evaluates on
CROWD = 6  # views drawn for each one used: every other of those nearest to the first, which overlap
METRES_PER_DEGREE = 1 / 30
BLANK_SHARE = 0.2
FOCAL_SHARES = (0.7, 1.1)  # of the width


class RoomEpisodes:
    """Views near one another in rooms that no test uses, covered with a library's textures where there is one."""

    def __init__(self, config: TrainConfig, library: TextureLibrary | None):
        self.config, self.library = config, library

    def __getitem__(self, index: int) -> Episode:
        seed = FIRST_SEED + index
        rng = np.random.default_rng([self.config.seed, seed])
        style = RoomStyle(clutter=int(rng.integers(8, 24)), blank=bool(rng.random() < BLANK_SHARE))
        room = make_room(seed, style, self.library)
        camera = _camera(self.config, rng)
        poses = _near_views(room, self.config.views, rng)
        views = [render(room, torch.from_numpy(pose), camera) for pose in poses]
        images_VHW3 = torch.stack([(image * 255 + 0.5).byte() for image, _ in views])
        depths_VHW = torch.stack([depth for _, depth in views])
        return make_episode(images_VHW3, depths_VHW, [camera] * len(poses), np.stack(poses))


def _near_views(room: Room, count: int, rng: np.random.Generator) -> list[Pose44]:
    """Return views that look much the same way as the first, from not far away."""
    crowd = [random_view(room, rng) for _ in range(CROWD * count)]
    away = [t_m + METRES_PER_DEGREE * r_deg for t_m, r_deg in (pose_error(pose, crowd[0]) for pose in crowd)]
    return [crowd[i] for i in np.argsort(away)[: 2 * count : 2]]


def _camera(config: TrainConfig, rng: np.random.Generator) -> Camera:
    width, height = config.width_px, config.height_px
    focal_px = float(rng.uniform(*FOCAL_SHARES)) * width
    return Camera(width, height, focal_px, focal_px, (width - 1) / 2, (height - 1) / 2)
