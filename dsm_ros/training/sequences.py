"""Episodes from recorded RGB-D sequences."""

from __future__ import annotations

import numpy as np
import torch

from dsm_ros.datasets.frame import Frame, Sequence
from dsm_ros.errors import SequenceError
from dsm_ros.geometry.pose import pose_error
from dsm_ros.geometry.rectify import pinhole_of_size, rectify_depth, rectify_image
from dsm_ros.training.config import TrainConfig
from dsm_ros.training.episode import Episode, EpisodeSource, make_episode

SEARCHED = 60  # frames looked at for those near a place
FRAME_GAP = 15  # views at least so far apart in the sequence, so that they differ
METRES_PER_DEGREE = 1 / 30


class SequenceEpisodes:
    """Views around a random frame of a sequence with depth and pose. Frames without them are a SequenceError."""

    def __init__(self, sequence: Sequence, config: TrainConfig):
        self.sequence, self.config = sequence, config

    def __getitem__(self, index: int) -> Episode:
        rng = np.random.default_rng([self.config.seed, index])
        numbers = _apart(rng.permutation(len(self.sequence)))[:SEARCHED]
        frames = [self.sequence[int(number)] for number in numbers]
        poses = [_pose(frame) for frame in frames]
        away = [t_m + METRES_PER_DEGREE * r_deg for t_m, r_deg in (pose_error(pose, poses[0]) for pose in poses)]
        nearest = np.argsort(away)[: self.config.views]
        return _episode([frames[i] for i in nearest], [poses[i] for i in nearest], self.config.width_px)


class MixedEpisodes:
    """Several sources in turn."""

    def __init__(self, sources: list[EpisodeSource]):
        self.sources = sources

    def __getitem__(self, index: int) -> Episode:
        number, turn = divmod(index, len(self.sources))
        return self.sources[turn][number]


def _apart(numbers: np.ndarray) -> list[int]:
    """Return the numbers that are not close to one before them."""
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
