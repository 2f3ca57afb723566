"""Matching at one pyramid level: candidates, consensus and Net_coords [paper 3.3]."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor, nn

from dsm_ros.network.config import NetworkConfig
from dsm_ros.network.consensus import Consensus
from dsm_ros.network.coordinate_head import CoordinateMaps
from dsm_ros.network.cost_volume import Candidates, CostVolume
from dsm_ros.network.features import ImageFeatures, Scene, SceneLevel
from dsm_ros.network.head_inputs import Evidence
from dsm_ros.network.level_volume import CellMatches, LevelVolume, distinctness, stack_volumes

Keep = Callable[[Candidates, SceneLevel, int], CostVolume]
Agree = Callable[[CostVolume, float, float], Consensus]
Correlate = Callable[[Tensor, SceneLevel, Tensor], Candidates]


@dataclass(frozen=True)
class Search:
    """Candidates of a batch of queries whose scenes have equally many images, and these scenes joined into one."""

    candidates: Candidates
    scene: SceneLevel


@dataclass(frozen=True)
class LevelMatch:
    """Match of B queries at one level.

    coords_B3HW, hypotheses_BQ3HW: metres, local frame of each scene. weights_BQHW: weights of the hypotheses; the last
    hypothesis of a trained Net_coords is the regressed coordinate. searches: all candidates of all queries, in the
    order of the queries.
    """

    coords_B3HW: Tensor
    hypotheses_BQ3HW: Tensor
    weights_BQHW: Tensor
    evidence: Evidence
    searches: tuple[Search, ...]


@dataclass(frozen=True)
class LevelMatcher:
    """Matching of queries at one pyramid level; level 0 is the coarsest.

    head: Net_coords. correlate: function that returns the candidates of query features (B, C, H, W) in a scene level,
    around initial coordinates (B, P, 3). keep, agree: functions that select and combine the candidates of a cell.
    """

    level: int
    config: NetworkConfig
    head: nn.Module
    correlate: Correlate
    keep: Keep
    agree: Agree

    def match(self, queries: Sequence[ImageFeatures], scenes: Sequence[Scene], initial_B3HW: Tensor) -> LevelMatch:
        """Match images, all of one size, each against its own scene.

        initial_B3HW: initial coordinates, m, local frame of each scene.
        """
        query_BCHW = torch.stack([query.levels[self.level] for query in queries])
        searches = tuple(self._search(*batch) for batch in self._batches(query_BCHW, scenes, initial_B3HW))
        height, width = query_BCHW.shape[2:]
        volume = stack_volumes([self._cells(search, width) for search in searches], height, width)
        maps: CoordinateMaps = self.head(volume, query_BCHW, initial_B3HW, scenes, self._agreement_m)
        return LevelMatch(maps.coords_B3HW, maps.hypotheses_BQ3HW, maps.weights_BQHW, _evidence(volume, maps), searches)

    def _batches(
        self, query_BCHW: Tensor, scenes: Sequence[Scene], initial_B3HW: Tensor
    ) -> Iterator[tuple[Tensor, SceneLevel, Tensor]]:
        """Group consecutive queries whose scenes have equal numbers of images."""
        levels = [scene.levels[self.level] for scene in scenes]
        runs = [list(run) for _, run in groupby(levels, key=lambda level: len(level.valid_NHW))]
        sizes = [len(run) for run in runs]
        joined = [SceneLevel.join(run) for run in runs]
        return zip(query_BCHW.split(sizes), joined, initial_B3HW.split(sizes), strict=True)

    def _search(self, query_BCHW: Tensor, scene: SceneLevel, initial_B3HW: Tensor) -> Search:
        return Search(self.correlate(query_BCHW, scene, initial_B3HW.flatten(2).mT.contiguous()), scene)

    def _cells(self, search: Search, width: int) -> CellMatches:
        """Select the best candidates of every cell and find their consensus [paper 3.3.1]."""
        volume = self.keep(search.candidates, search.scene, self.config.candidates_at(self.level))
        consensus = self.agree(volume, self.config.temperature, self._agreement_m)
        return CellMatches(volume, consensus, distinctness(search.candidates, volume, width))

    @property
    def _agreement_m(self) -> float:
        return self.config.agreement_m[min(self.level, 1)]


def _evidence(volume: LevelVolume, maps: CoordinateMaps) -> Evidence:
    return Evidence(volume.best_score_BHW, volume.agreement_BHW, volume.distinctness_BHW, maps.concentration_BHW)
