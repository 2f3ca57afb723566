"""The augmented episodes of each training step, identical after a restart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from dsm_ros.training.augment import augment, punch_holes
from dsm_ros.training.config import TrainConfig
from dsm_ros.training.episode import Episode, EpisodeSource

PREFETCH = 2


class Steps(Dataset[list[Episode]]):
    """Item i contains the augmented episodes of step ``first + i`` for process ``rank`` of ``ranks``."""

    def __init__(self, source: EpisodeSource, config: TrainConfig, first: int = 0, rank: int = 0, ranks: int = 1):
        self.source, self.config, self.first, self.rank, self.ranks = source, config, first, rank, ranks

    def __len__(self) -> int:
        return self.config.steps - self.first

    def __getitem__(self, index: int) -> list[Episode]:
        start = ((self.first + index) * self.ranks + self.rank) * self.config.episodes
        return [self._episode(start + i) for i in range(self.config.episodes)]

    def _episode(self, number: int) -> Episode:
        """Return an episode of the pool, with a different augmentation at each use."""
        turn, place = divmod(number, self.config.pool)
        key = place, turn % self.config.augmentations
        rng = np.random.default_rng([self.config.seed, *key])
        episode = self.source[place]
        images_VHW3 = augment(episode.images_VHW3, rng)
        return replace(episode, images_VHW3=images_VHW3, depths_VHW=punch_holes(episode.depths_VHW, rng), key=key)


def load_steps(steps: Steps, workers: int) -> DataLoader[list[Episode]]:
    """Return the steps in order; worker processes prepare steps in advance."""
    return DataLoader(
        steps,
        batch_size=None,
        num_workers=workers,
        prefetch_factor=PREFETCH if workers else None,
        worker_init_fn=_one_thread,
        persistent_workers=False,
    )


def _one_thread(worker: int) -> None:
    torch.set_num_threads(1)
