"""Episodes from recorded RGB-D sequences."""

from __future__ import annotations

import numpy as np
import torch

from dsm_ros.datasets.frame import Frame, FrameSequence
from dsm_ros.errors import SequenceError
from dsm_ros.geometry.rectify import pinhole_of_size, rectify_depth, rectify_image
from dsm_ros.training.config import TrainConfig
from dsm_ros.training.episode import Episode, EpisodeSource, make_episode, viewpoint_distances

SEARCHED = 60  # frames among which the nearest frames become the views of an episode
FRAME_GAP = 15  # minimum number of frames between two views, so that they differ


class SequenceEpisodes:
    """Views around a random frame of a sequence.

    Raises SequenceError for images of another aspect ratio than those of the recipe, and for a frame without depth or
    pose.
    """

    def __init__(self, sequence: FrameSequence, config: TrainConfig):
        target = pinhole_of_size(sequence[0].camera, config.width_px)
        if (target.width_px, target.height_px) != (config.width_px, config.height_px):
            size = f"width_px: {target.width_px} and height_px: {target.height_px}"
            raise SequenceError(f"{sequence.name} has images of another aspect ratio than the recipe; set {size}")
        self.sequence, self.config = sequence, config

    def __getitem__(self, index: int) -> Episode:
        rng = np.random.default_rng([self.config.seed, index])
        numbers = _apart(rng.permutation(len(self.sequence)))[:SEARCHED]
        frames = [self.sequence[int(number)] for number in numbers]
        poses = [_pose(frame) for frame in frames]
        nearest = np.argsort(viewpoint_distances(poses))[: self.config.views]
        return _episode([frames[i] for i in nearest], [poses[i] for i in nearest], self.config.width_px)


class MixedEpisodes:
    """Episodes from several sources in turn."""

    def __init__(self, sources: list[EpisodeSource]):
        self.sources = sources

    def __getitem__(self, index: int) -> Episode:
        number, turn = divmod(index, len(self.sources))
        return self.sources[turn][number]


def _apart(numbers: np.ndarray) -> list[int]:
    """Return the frame numbers that are at least FRAME_GAP from all previously returned numbers."""
    kept: list[int] = []
    for number in numbers:
        if all(abs(int(number) - other) >= FRAME_GAP for other in kept):
            kept.append(int(number))
    return kept


def _pose(frame: Frame) -> np.ndarray:
    if frame.map_T_camera is None or frame.depth_HW is None:
        raise SequenceError(f"frame {frame.name} has no depth or no pose; train on sequences with both")
    return frame.map_T_camera


def _episode(frames: list[Frame], poses: list[np.ndarray], width_px: int) -> Episode:
    targets = [pinhole_of_size(frame.camera, width_px) for frame in frames]
    images = [rectify_image(f.image_HW3, f.camera, target) for f, target in zip(frames, targets, strict=True)]
    depths = [
        rectify_depth(f.depth_HW, f.camera, target)
        for f, target in zip(frames, targets, strict=True)
        if f.depth_HW is not None
    ]
    return make_episode(
        torch.from_numpy(np.stack(images)), torch.from_numpy(np.stack(depths)), targets, np.stack(poses)
    )
