"""Features and depths of the views of a step's episodes."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import torch
from torch import Tensor

from dsm_ros.geometry.sampling import pool_depth
from dsm_ros.network.encoder import Encoder
from dsm_ros.network.features import ImageFeatures, KeyframeFeatures
from dsm_ros.training.episode import Episode
from dsm_ros.training.trunk_cache import TrunkOutputs


def encode_episodes(
    encoder: Encoder, trunks: TrunkOutputs, episodes: Sequence[Episode]
) -> list[list[KeyframeFeatures]]:
    """Return the features, the depth and the pose of each view of each episode, computed in one pass."""
    levels, descriptors_XD = _features(encoder, trunks, episodes)
    depths = _pooled_depths(episodes, encoder.strides)
    cameras = chain.from_iterable(episode.cameras for episode in episodes)
    poses = chain.from_iterable(episode.map_T_camera_V44 for episode in episodes)
    views = (
        KeyframeFeatures(ImageFeatures(view_levels, descriptor_D, camera), view_depths, pose)
        for view_levels, descriptor_D, camera, view_depths, pose in zip(
            zip(*levels, strict=True), descriptors_XD, cameras, zip(*depths, strict=True), poses, strict=True
        )
    )
    return [[next(views) for _ in episode.cameras] for episode in episodes]


def _features(encoder: Encoder, trunks: TrunkOutputs, episodes: Sequence[Episode]) -> tuple[tuple[Tensor, ...], Tensor]:
    """Return the levels and the descriptors of all views; on a GPU, the encoder computes in bfloat16."""
    device_type = episodes[0].images_VHW3.device.type
    with torch.autocast(device_type, torch.bfloat16, enabled=device_type == "cuda"):
        levels, descriptors_XD = encoder.join(*trunks(episodes))
    return tuple(level.float() for level in levels), descriptors_XD


def _pooled_depths(episodes: Sequence[Episode], strides: Sequence[int]) -> list[Tensor]:
    """Return the depth (X, h, w) of each cell of all views at each level."""
    depths_XHW = torch.cat([episode.depths_VHW for episode in episodes])
    in_one_column = depths_XHW.flatten(0, 1)  # stacks the views vertically into one image
    return [pool_depth(in_one_column, stride).unflatten(0, (len(depths_XHW), -1)) for stride in strides]
