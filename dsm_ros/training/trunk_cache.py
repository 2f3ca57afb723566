"""Outputs of an encoder's pretrained trunks for the views of episodes, computed or read from a cache."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from dsm_ros.network.encoder import Encoder
from dsm_ros.training.episode import Episode, EpisodeKey

TrunkOutputs = Callable[[Sequence[Episode]], tuple[Tensor, ...]]


class Trunks:
    """The trunks of an encoder, computed at every step."""

    def __init__(self, encoder: Encoder):
        self._encoder = encoder

    def __call__(self, episodes: Sequence[Episode]) -> tuple[Tensor, ...]:
        """Return the outputs (X, C, h, w) for all views of all episodes, computed in one pass."""
        images_XHW3 = torch.cat([episode.images_VHW3 for episode in episodes])
        return self._encoder.trunk_outputs(images_XHW3.permute(0, 3, 1, 2).float())


class CachedTrunks:
    """Frozen trunks, whose outputs are computed once per episode and kept in the memory of their device.

    budget_bytes: limit of the cache; the outputs of episodes that do not fit are computed at every step. The cache
    evicts nothing, because episodes repeat in a fixed cycle, so that evicting the oldest entry would remove the entry
    needed next.
    """

    def __init__(self, trunks: Trunks, budget_bytes: int):
        self._trunks, self._left_bytes = trunks, budget_bytes
        self._outputs: dict[EpisodeKey, tuple[Tensor, ...]] = {}

    @torch.no_grad()
    def __call__(self, episodes: Sequence[Episode]) -> tuple[Tensor, ...]:
        """Return the outputs (X, C, h, w) for all views of all episodes; an episode without a key is not cached."""
        cached = [self._outputs.get(episode.key) if episode.key else None for episode in episodes]
        missing = [episode for episode, outputs in zip(episodes, cached, strict=True) if not outputs]
        computed = iter(self._compute(missing))
        parts = [outputs or next(computed) for outputs in cached]
        return tuple(torch.cat(part) for part in zip(*parts, strict=True))

    def _compute(self, episodes: Sequence[Episode]) -> list[tuple[Tensor, ...]]:
        """Return the outputs of each episode, and cache the outputs within the budget."""
        if not episodes:
            return []
        views = [len(episode.cameras) for episode in episodes]
        outputs = list(zip(*(output.split(views) for output in self._trunks(episodes)), strict=True))
        for episode, of_episode in zip(episodes, outputs, strict=True):
            size_bytes = sum(output.nbytes for output in of_episode)
            if episode.key and episode.key not in self._outputs and size_bytes <= self._left_bytes:
                self._outputs[episode.key] = tuple(output.clone() for output in of_episode)
                self._left_bytes -= size_bytes
        return outputs
