"""Query images of a training step, drawn from episodes, with their scenes and ground truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dsm_ros.geometry.pose import Pose44, invert
from dsm_ros.network.features import ImageFeatures, KeyframeFeatures, Scene, gather_scenes
from dsm_ros.network.grids import back_projections, backproject, beside, grid_matrices
from dsm_ros.training.episode import Episode

MIN_OVERLAP = 0.1  # minimum share of the query's cells that are visible in a map image
NEIGHBOURS = 10  # number of views with the largest overlap from which map images are drawn


@dataclass(frozen=True)
class Draw:
    """A query image and its map images, as indices of views; ``place`` is the episode of the map images."""

    episode: int
    query: int
    place: int
    images: tuple[int, ...]


@dataclass(frozen=True)
class Query:
    """A query image and the scene to which the image is matched.

    view: features, depth and pose of the query image. in_map: whether the scene shows the query's own place.
    """

    view: KeyframeFeatures
    scene: Scene
    in_map: bool

    @property
    def image(self) -> ImageFeatures:
        """The features of the query image."""
        return self.view.image

    @property
    def local_T_query(self) -> Pose44:
        """The pose of the query image in the scene's local frame; meaningless when the query is not in the map."""
        return invert(self.scene.map_T_local) @ self.view.map_T_camera


@dataclass(frozen=True)
class GroundTruth:
    """Ground truth of B queries at one level.

    coords_B3HW: m, local frame of each scene. known_BHW: True where depth is known; False for a query that is not in
    the map. depths_BHW: m, along the query camera's axis. intrinsics_B33: K of the query's camera on the grid of the
    level. projection_B34: K [R | t], from the local frame to this grid. in_map_B: bool.
    """

    coords_B3HW: Tensor
    known_BHW: Tensor
    depths_BHW: Tensor
    intrinsics_B33: Tensor
    projection_B34: Tensor
    in_map_B: Tensor


def draw_queries(
    episodes: Sequence[Episode], queries: int, max_images: int, elsewhere: float, rng: np.random.Generator
) -> list[Draw]:
    """Draw ``queries`` query images per episode, each with 1..max_images overlapping views of its place as map images.

    elsewhere: share of queries whose map images are of another episode. A query that no other view overlaps is left
    out. Queries are sorted by their number of map images, because the network matches queries with equal numbers in one
    pass.
    """
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
    # A step needs a query on each device. If no views overlap, the first view is its own map image.
    return sorted(draws, key=lambda draw: len(draw.images)) or [Draw(0, 0, 0, (0,))]


def _overlapping(shares_V: np.ndarray, query: int, wanted: int, rng: np.random.Generator) -> np.ndarray:
    best = np.argsort(-shares_V)[: NEIGHBOURS + 1]
    usable = best[(best != query) & (shares_V[best] > MIN_OVERLAP)]
    return rng.permutation(usable)[:wanted]


def make_queries(draws: Sequence[Draw], views: Sequence[Sequence[KeyframeFeatures]]) -> list[Query]:
    """Return the query of each draw, with its scene in the camera frame of its first map image.

    views: the views of each episode.
    """
    groups = [[views[draw.place][i] for i in draw.images] for draw in draws]
    scenes = gather_scenes(groups, [keyframes[0].map_T_camera for keyframes in groups])
    return [
        Query(views[draw.episode][draw.query], scene, draw.episode == draw.place)
        for draw, scene in zip(draws, scenes, strict=True)
    ]


def ground_truths(queries: Sequence[Query]) -> list[GroundTruth]:
    """Return the ground truth at each level, from the depth and the pose of the query images."""
    depths = [torch.stack(depths) for depths in zip(*(query.view.depths for query in queries), strict=True)]
    local_T_query_B44 = np.stack([query.local_T_query for query in queries])
    in_map = np.array([float(query.in_map) for query in queries])
    matrices = []
    for _, *size in (depths_BHW.shape for depths_BHW in depths):
        intrinsics_B33 = grid_matrices([query.image.camera for query in queries], *size)
        projection_B34 = intrinsics_B33 @ np.linalg.inv(local_T_query_B44)[:, :3]
        matrices += [intrinsics_B33, projection_B34, back_projections(intrinsics_B33, local_T_query_B44)]
    in_map_B, *tensors = beside(depths[0], in_map, *matrices)
    truths = []
    for depths_BHW, *cameras in zip(depths, tensors[::3], tensors[1::3], tensors[2::3], strict=True):
        intrinsics, projection, back_projection = cameras
        coords_B3HW = backproject(depths_BHW, back_projection)
        known_BHW = (depths_BHW > 0) & (in_map_B > 0)[:, None, None]
        truths.append(GroundTruth(coords_B3HW, known_BHW, depths_BHW, intrinsics, projection, in_map_B > 0))
    return truths
