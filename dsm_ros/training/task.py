"""Queries and scenes drawn from episodes, with the truth at every level."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dsm_ros.geometry.pose import invert
from dsm_ros.geometry.sampling import pool_depth
from dsm_ros.network.features import ImageFeatures, KeyframeFeatures, Scene, backproject, beside, gather_scenes
from dsm_ros.training.episode import Episode, intrinsics

MIN_OVERLAP = 0.1  # of a query with a map image, to be worth matching
NEIGHBOURS = 10


@dataclass(frozen=True)
class Draw:
    """One query and its map images, as numbers of views; ``place`` is the episode that the map images are of."""

    episode: int
    query: int
    place: int
    images: tuple[int, ...]


@dataclass(frozen=True)
class Truth:
    """The true coordinates of B queries at one level: coords_B3HW (m, each scene's local frame), known_BHW.

    depths_BHW: along the query's axis. A query of another place knows nothing.
    """

    coords_B3HW: Tensor
    known_BHW: Tensor
    depths_BHW: Tensor


def draw_tasks(
    episodes: Sequence[Episode], queries: int, max_images: int, elsewhere: float, rng: np.random.Generator
) -> list[Draw]:
    """Draw ``queries`` per episode, each with 1..max_images overlapping views; a share looks for itself elsewhere."""
    draws = []
    for e, episode in enumerate(episodes):
        shares_VV = episode.overlap_VV
        for query in rng.permutation(len(shares_VV))[:queries]:
            wanted = int(rng.integers(1, max_images + 1))
            if len(episodes) > 1 and rng.random() < elsewhere:
                place = (e + 1 + int(rng.integers(len(episodes) - 1))) % len(episodes)
                images = rng.permutation(len(episodes[place].cameras))[:wanted]
            else:
                place, images = e, _overlapping(shares_VV[query], int(query), wanted, rng)
            if len(images):
                draws.append(Draw(e, int(query), place, tuple(int(i) for i in images)))
    return draws


def _overlapping(shares_V: np.ndarray, query: int, wanted: int, rng: np.random.Generator) -> np.ndarray:
    best = np.argsort(-shares_V)[: NEIGHBOURS + 1]
    usable = best[(best != query) & (shares_V[best] > MIN_OVERLAP)]
    return rng.permutation(usable)[:wanted]


def pooled_depths(episode: Episode, strides: Sequence[int]) -> list[Tensor]:
    """Return the depth (V, h, w) of each cell at each level."""
    return [torch.stack([pool_depth(depth_HW, s) for depth_HW in episode.depths_VHW]) for s in strides]


def make_scenes(
    draws: Sequence[Draw],
    views: Sequence[Sequence[ImageFeatures]],
    depths: Sequence[Sequence[Tensor]],
    episodes: Sequence[Episode],
) -> list[Scene]:
    """Gather the map images of each draw, in the frame of the first one's camera; views and depths are by episode."""
    groups = [_map_images(draw, views[draw.place], depths[draw.place], episodes[draw.place]) for draw in draws]
    return gather_scenes(groups, [keyframes[0].map_T_camera for keyframes in groups])


def _map_images(
    draw: Draw, views: Sequence[ImageFeatures], depths: Sequence[Tensor], episode: Episode
) -> list[KeyframeFeatures]:
    return [
        KeyframeFeatures(views[i], tuple(depths_VHW[i] for depths_VHW in depths), episode.map_T_camera_V44[i])
        for i in draw.images
    ]


def true_coordinates(
    draws: Sequence[Draw], scenes: Sequence[Scene], episodes: Sequence[Episode], depths: Sequence[Sequence[Tensor]]
) -> list[Truth]:
    """Return the truth at each level, from the queries' own depth and pose."""
    depths_of = [
        torch.stack([depths[draw.episode][level][draw.query] for draw in draws]) for level in range(len(depths[0]))
    ]
    cameras = [episodes[draw.episode].cameras[draw.query] for draw in draws]
    matrices = [intrinsics(cameras, depths_BHW.shape[2], depths_BHW.shape[1]).numpy() for depths_BHW in depths_of]
    here = np.array([float(draw.episode == draw.place) for draw in draws])
    here_B, local_T_query_B44, *intrinsics_of = beside(
        depths_of[0], here, query_poses(draws, scenes, episodes), *matrices
    )
    levels = []
    for depths_BHW, intrinsics_B33 in zip(depths_of, intrinsics_of, strict=True):
        known_BHW = (depths_BHW > 0) & (here_B > 0)[:, None, None]
        levels.append(Truth(backproject(depths_BHW, intrinsics_B33, local_T_query_B44), known_BHW, depths_BHW))
    return levels


def query_poses(draws: Sequence[Draw], scenes: Sequence[Scene], episodes: Sequence[Episode]) -> np.ndarray:
    """Return local_T_query (B, 4, 4) of each draw; meaningless for a query of another place."""
    return np.stack(
        [
            invert(scene.map_T_local) @ episodes[draw.episode].map_T_camera_V44[draw.query]
            for draw, scene in zip(draws, scenes, strict=True)
        ]
    )
