"""One training step's forward pass: episodes in, losses out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from dsm_ros.network.cost_volume import Candidates, project
from dsm_ros.network.dsm_net import DsmNet, LevelMatch
from dsm_ros.network.features import ImageFeatures, Scene, beside, by_cell
from dsm_ros.training.config import TrainConfig
from dsm_ros.training.episode import Episode, intrinsics
from dsm_ros.training.loss import certainty_loss, choice_loss, coordinate_loss, matching_loss
from dsm_ros.training.task import Draw, Truth, draw_tasks, make_scenes, pooled_depths, query_poses, true_coordinates

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
        scenes = make_scenes(draws, views, depths, episodes)
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
        pixel_B = deviation_B.new_tensor([1 / query.camera.fx for query in queries])  # at a depth of 1 m
        losses: dict[str, Tensor] = {}
        for i, (level, truth) in enumerate(zip(levels, truths, strict=True)):
            cell_B = self.network.encoder.strides[i] * pixel_B
            radius_BHW = RIGHT_CELLS * cell_B[:, None, None] * truth.depths_BHW
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
    coords_B3HW = level.coords_B3HW.detach()
    height, width = truth.known_BHW.shape[1:]
    u_HW, v_HW = torch.meshgrid(
        torch.arange(width, device=coords_B3HW.device), torch.arange(height, device=coords_B3HW.device), indexing="xy"
    )
    cameras = [episodes[draw.episode].cameras[draw.query] for draw in draws]
    here = np.array([float(draw.episode == draw.place) for draw in draws])
    here_B, camera_T_local_B44, intrinsics_B33 = beside(
        coords_B3HW,
        here,
        np.linalg.inv(query_poses(draws, scenes, episodes)),
        intrinsics(cameras, width, height).numpy(),
    )
    pixels_BP2, front_BP = project(coords_B3HW.flatten(2).mT, intrinsics_B33, camera_T_local_B44)
    away_BP = (pixels_BP2 - torch.stack([u_HW, v_HW], dim=-1).view(-1, 2)).abs().sum(2)
    right_BP = front_BP & (away_BP < RIGHT_CELLS) & (here_B > 0)[:, None]
    return right_BP.unflatten(1, (height, width)).float()


def within(level: LevelMatch, truth: Truth, limit_m: float) -> Tensor:
    """Return the share of known cells whose coordinate is within a limit of the truth."""
    near_BHW = (level.coords_B3HW - truth.coords_B3HW).detach().norm(dim=1) < limit_m
    return (near_BHW & truth.known_BHW).sum() / truth.known_BHW.sum().clamp(min=1)
