"""The network with one part exchanged; weights are shared, nothing is trained again."""

from __future__ import annotations

import torch
from torch import Tensor

from dsm_ros.network.config import NetworkConfig
from dsm_ros.network.consensus import Consensus, candidate_weights, find_consensus
from dsm_ros.network.cost_volume import Candidates, CostVolume, keep_best
from dsm_ros.network.dsm_net import Agree, DenseMatch, DsmNet, Keep
from dsm_ros.network.features import ImageFeatures, Scene, SceneLevel
from dsm_ros.network.temporal import ALPHA_OFFSET


class SharingNet(DsmNet):
    """The encoder and heads of another network under a configuration of its own."""

    def __init__(self, network: DsmNet, config: NetworkConfig):
        super().__init__(config, network.model_hash)
        self.encoder, self.confidence_head = network.encoder, network.confidence_head
        self.coordinate_heads = network.coordinate_heads
        self.train(network.training)


class KeepingNet(SharingNet):
    """Keeps and weighs the candidates of each cell in another way."""

    def __init__(self, network: DsmNet, config: NetworkConfig, keep: Keep = keep_best, agree: Agree = find_consensus):
        super().__init__(network, config)
        self._keep, self._agree = keep, agree


def keep_best_unsorted(candidates: Candidates, level: SceneLevel, count: int) -> CostVolume:
    """Keep the best K, but in the order of the correlation tensor: image by image, row by row."""
    best = keep_best(candidates, level, count)
    order_PK = best.cells_PK.masked_fill(~best.valid_PK, torch.iinfo(torch.long).max).argsort(dim=1)
    coords_PK3 = best.coords_PK3.gather(1, order_PK[..., None].expand(-1, -1, 3))
    return CostVolume(
        best.scores_PK.gather(1, order_PK),
        coords_PK3,
        best.valid_PK.gather(1, order_PK),
        best.cells_PK.gather(1, order_PK),
    )


def keep_all(candidates: Candidates, level: SceneLevel, count: int) -> CostVolume:
    """Keep the whole correlation tensor."""
    return keep_best(candidates, level, candidates.scores_PM.shape[1])


def plain_mean(volume: CostVolume, temperature: float, agreement_m: float) -> Consensus:
    """Return the softmax mean over all candidates kept, agreeing or not; support is the share of weight near it."""
    weights_PK = candidate_weights(volume, temperature)
    coords_P3 = torch.einsum("pk,pkc->pc", weights_PK, volume.coords_PK3)
    near_PK: Tensor = (volume.coords_PK3 - coords_P3[:, None]).norm(dim=2) < agreement_m
    return Consensus(coords_P3, weights_PK, (weights_PK * near_PK).sum(1))


class WeightedMatch(DenseMatch):
    """A match whose certainty is given, and with it alpha of the temporal fusion."""

    given_certainty: float

    @property
    def certainty(self) -> float:
        """The certainty that leads to the given weight."""
        return self.given_certainty


class FixedWeightNet(SharingNet):
    """Gives the scene's correlation the same weight alpha in every frame."""

    def __init__(self, network: DsmNet, alpha: float):
        super().__init__(network, network.config)
        self._alpha = alpha

    def match(self, query: ImageFeatures, scene: Scene) -> DenseMatch:
        """Match an image against a scene, with a certainty that leads to the weight."""
        found = super().match(query, scene)
        weighted = WeightedMatch(found.coords_HW3, found.confidence_HW, found.levels)
        object.__setattr__(weighted, "given_certainty", self._alpha - ALPHA_OFFSET)  # the class is frozen
        return weighted
