"""One training step's forward pass: episodes in, losses out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from dsm_ros.network.cost_volume import Candidates, project
from dsm_ros.network.dsm_net import DsmNet, LevelMatch
from dsm_ros.network.features import ImageFeatures, Scene, by_cell
from dsm_ros.training.config import TrainConfig
from dsm_ros.training.episode import Episode, intrinsics
from dsm_ros.training.loss import certainty_loss, choice_loss, coordinate_loss, matching_loss
from dsm_ros.training.task import Draw, Truth, draw_tasks, make_scene, pooled_depths, true_coordinates

COORDINATE_WEIGHTS = (0.9, 1.1)  # coarsest level, the finer ones
RIGHT_CELLS = 1.0  # a coordinate is right within this many query cells of the truth, in space or projected [3.4]


class TrainingStep(nn.Module):
    """The network with its losses, one module so that it can be run on several devices."""

    def __init__(self, network: DsmNet, config: TrainConfig):
        super().__init__()
        self.network, self.config = network, config

    def train(self, mode: bool = True) -> TrainingStep:
        """Switch to training; trunks that stay as they are keep their norms' statistics too."""
        super().train(mode)
        if self.config.freeze_trunks:
            for trunk in self.network.encoder.trunks():
                trunk.eval()
        return self

    def forward(self, episodes: Sequence[Episode], rng: np.random.Generator) -> dict[str, Tensor]:
        """Return the losses by name, and under ``within_10cm`` the share of right coordinates."""
        draws = draw_tasks(episodes, self.config.queries, self.config.max_images, self.config.elsewhere, rng)
        views = self._encode(episodes)
        depths = [pooled_depths(episode, self.network.encoder.strides) for episode in episodes]
        queries = [views[draw.episode][draw.query] for draw in draws]
        scenes = [make_scene(draw, views[draw.place], depths[draw.place], episodes[draw.place]) for draw in draws]
        truths = true_coordinates(draws, scenes, episodes, depths)
        levels = self.network.match_levels(queries, scenes)
        logits_BHW = self.network.confidence_logits(queries, scenes, levels)
        right_BHW = right_cells(levels[-1], truths[-1], draws, scenes, episodes)
        return {
            **self._level_losses(levels, truths, scenes, queries),
            "certainty": certainty_loss(logits_BHW, right_BHW),
            "within_10cm": within(levels[-1], truths[-1], 0.1),
        }

    def _encode(self, episodes: Sequence[Episode]) -> list[list[ImageFeatures]]:
        """Encode all views of all episodes in one pass."""
        images_XHW3 = torch.cat([episode.images_VHW3 for episode in episodes])
        device = images_XHW3.device
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            levels, descriptors_XD = self.network.encoder(images_XHW3.permute(0, 3, 1, 2).float())
        cameras = [camera for episode in episodes for camera in episode.cameras]
        views = [
            ImageFeatures(tuple(level[i].float() for level in levels), descriptors_XD[i], camera)
            for i, camera in enumerate(cameras)
        ]
        ends = np.cumsum([len(episode.cameras) for episode in episodes])
        return [views[end - len(episode.cameras) : end] for end, episode in zip(ends, episodes, strict=True)]

    def _level_losses(
        self,
        levels: Sequence[LevelMatch],
        truths: Sequence[Truth],
        scenes: Sequence[Scene],
        queries: Sequence[ImageFeatures],
    ) -> dict[str, Tensor]:
        deviation_B = torch.stack([scene.deviation for scene in scenes])
        losses: dict[str, Tensor] = {}
        for i, (level, truth) in enumerate(zip(levels, truths, strict=True)):
            footprints_B = [self.network.encoder.strides[i] / query.camera.fx for query in queries]
            radius_BHW = RIGHT_CELLS * truth.depths_BHW.new_tensor(footprints_B)[:, None, None] * truth.depths_BHW
            known = truth.coords_B3HW, truth.known_BHW, deviation_B
            weight = COORDINATE_WEIGHTS[min(i, 1)]
            losses[f"coordinates_{i}"] = weight * coordinate_loss(level.coords_B3HW, *known)
            losses[f"regressed_{i}"] = weight * coordinate_loss(level.hypotheses_BQ3HW[:, -1], *known)
            losses[f"choice_{i}"] = self.config.choice_weight * _choice(level, truth, radius_BHW)
            losses[f"matching_{i}"] = self.config.matching_weight * self._matching(i, level, truth, scenes, radius_BHW)
        return losses

    def _matching(self, i: int, level: LevelMatch, truth: Truth, scenes: Sequence[Scene], radius_BHW: Tensor) -> Tensor:
        losses = []
        for b, (candidates, scene) in enumerate(zip(level.candidates, scenes, strict=True)):
            truth_P3 = truth.coords_B3HW[b].flatten(1).T
            right_PM = right_candidates(candidates, scene, i, truth_P3, radius_BHW[b].flatten())
            right_PM &= truth.known_BHW[b].flatten()[:, None]
            losses.append(matching_loss(candidates.scores_PM, right_PM, self.config.matching_temperature))
        return torch.stack(losses).mean()


def _choice(level: LevelMatch, truth: Truth, radius_BHW: Tensor) -> Tensor:
    """Return the loss of weights on hypotheses that are not at the true coordinate."""
    away_BQHW = (level.hypotheses_BQ3HW.detach() - truth.coords_B3HW[:, None]).norm(dim=2)
    right_BQHW = (away_BQHW < radius_BHW[:, None]) & truth.known_BHW[:, None]
    return choice_loss(by_cell(level.weights_BQHW), by_cell(right_BQHW))


def right_candidates(candidates: Candidates, scene: Scene, level: int, truth_P3: Tensor, radius_P: Tensor) -> Tensor:
    """Return (P, M): which candidates lie within a radius (m) of each cell's true coordinate."""
    coords_M3 = by_cell(scene.levels[level].coords_N3HW)
    if candidates.cells_PM is None:
        return torch.cdist(truth_P3, coords_M3) < radius_P[:, None]
    return (coords_M3[candidates.cells_PM] - truth_P3[:, None]).norm(dim=2) < radius_P[:, None]


def right_cells(
    level: LevelMatch, truth: Truth, draws: Sequence[Draw], scenes: Sequence[Scene], episodes: Sequence[Episode]
) -> Tensor:
    """Return (B, H, W): 1.0 where a coordinate projects onto its own cell in the true camera [3.4]."""
    height, width = truth.known_BHW.shape[1:]
    device = level.coords_B3HW.device
    cells_P2 = torch.stack(
        torch.meshgrid(torch.arange(width, device=device), torch.arange(height, device=device), indexing="xy"), dim=-1
    ).reshape(-1, 2)
    right = []
    for b, (draw, scene) in enumerate(zip(draws, scenes, strict=True)):
        camera_T_map = np.linalg.inv(episodes[draw.episode].map_T_camera_V44[draw.query])
        camera_T_local_44 = torch.tensor(camera_T_map @ scene.map_T_local).float().to(device)
        k_33 = intrinsics([episodes[draw.episode].cameras[draw.query]], width, height)[0].to(device)
        pixels_P2, front_P = project(level.coords_B3HW[b].detach().flatten(1).T, k_33, camera_T_local_44)
        here_P = front_P & ((pixels_P2 - cells_P2).abs().sum(1) < RIGHT_CELLS)
        right.append(here_P.view(height, width) & (draw.episode == draw.place))
    return torch.stack(right).float()


def within(level: LevelMatch, truth: Truth, limit_m: float) -> Tensor:
    """Return the share of known cells whose coordinate is within a limit of the truth."""
    near_BHW = (level.coords_B3HW - truth.coords_B3HW).detach().norm(dim=1) < limit_m
    return (near_BHW & truth.known_BHW).sum() / truth.known_BHW.sum().clamp(min=1)
