"""Forward pass of a training step, from episodes to losses."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from torch import Tensor, nn

from dsm_ros.network.dsm_net import DsmNet
from dsm_ros.network.level_matcher import LevelMatch
from dsm_ros.network.scene_frames import SceneFrames
from dsm_ros.training.config import TrainConfig
from dsm_ros.training.episode import Episode
from dsm_ros.training.episode_encoder import encode_episodes
from dsm_ros.training.level_losses import level_losses, right_cells, share_within
from dsm_ros.training.loss import confidence_loss
from dsm_ros.training.queries import GroundTruth, Query, draw_queries, ground_truths, make_queries
from dsm_ros.training.trunk_cache import CachedTrunks, TrunkOutputs, Trunks

COARSEST_WEIGHT, FINER_WEIGHT = 0.9, 1.1  # weights of the coordinate losses, coarsest and finer levels


class TrainingStep(nn.Module):
    """The network and its losses in one module, which several devices can run in parallel."""

    def __init__(self, network: DsmNet, config: TrainConfig):
        super().__init__()
        self.network, self.config = network, config
        trunks = Trunks(network.encoder)
        budget_bytes = config.trunk_cache_mb * 2**20
        self._trunks: TrunkOutputs = CachedTrunks(trunks, budget_bytes) if config.freeze_trunks else trunks

    def train(self, mode: bool = True) -> TrainingStep:
        """Switch to training; frozen trunks keep the statistics of their norms."""
        super().train(mode)
        if self.config.freeze_trunks:
            for trunk in self.network.encoder.trunks():
                trunk.eval()
        return self

    def forward(self, episodes: Sequence[Episode], rng: np.random.Generator) -> dict[str, Tensor]:
        """Return the losses by name, and the share of coordinates within 10 cm as ``within_10cm``."""
        draws = draw_queries(episodes, self.config.queries, self.config.max_images, self.config.elsewhere, rng)
        queries = make_queries(draws, encode_episodes(self.network.encoder, self._trunks, episodes))
        truths = ground_truths(queries)
        images, scenes = [query.image for query in queries], [query.scene for query in queries]
        levels = self.network.match_levels(images, scenes)
        logits_BHW = self.network.confidence_logits(images, levels)
        return {
            **self._level_losses(levels, truths, queries),
            "confidence": confidence_loss(logits_BHW, right_cells(levels[-1], truths[-1])),
            "within_10cm": share_within(levels[-1], truths[-1], 0.1),
        }

    def _level_losses(
        self, levels: Sequence[LevelMatch], truths: Sequence[GroundTruth], queries: Sequence[Query]
    ) -> dict[str, Tensor]:
        """Return the losses of all levels by name, numbered from the coarsest level."""
        deviation_B = SceneFrames.of([query.scene for query in queries]).deviation_B
        losses: dict[str, Tensor] = {}
        for i, (level, truth) in enumerate(zip(levels, truths, strict=True)):
            weight = FINER_WEIGHT if i else COARSEST_WEIGHT
            of_level = level_losses(level, truth, deviation_B, weight, self.config)
            losses |= {f"{name}_{i}": loss for name, loss in of_level.items()}
        return losses
