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
from dsm_ros.geometry.pose import Pose44
from dsm_ros.training.config import TrainConfig
from dsm_ros.training.episode import Episode, make_episode, viewpoint_distances

FIRST_SEED = 1_000_000  # above the seeds of all rooms used for evaluation
CROWD = 6  # views drawn per view used; about half of the views nearest to the first view overlap it enough
BLANK_SHARE = 0.2
FOCAL_SHARES = (0.7, 1.1)  # range of the focal length as a share of the width


class RoomEpisodes:
    """Views near each other in rooms that no test uses, with the textures of a library if given."""

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
    """Return views whose position and orientation are near the first view."""
    crowd = [random_view(room, rng) for _ in range(CROWD * count)]
    return [crowd[i] for i in np.argsort(viewpoint_distances(crowd))[: 2 * count : 2]]


def _camera(config: TrainConfig, rng: np.random.Generator) -> Camera:
    width, height = config.width_px, config.height_px
    focal_px = float(rng.uniform(*FOCAL_SHARES)) * width
    return Camera(width, height, focal_px, focal_px, (width - 1) / 2, (height - 1) / 2)
