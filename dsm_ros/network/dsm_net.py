"""The dense scene matching network: image and scene in, dense scene coordinates and confidence out [paper 3]."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44, invert
from dsm_ros.geometry.rectify import pinhole_of_size, rectify_depth, rectify_image
from dsm_ros.geometry.sampling import pool_depth
from dsm_ros.network.analytic_heads import EVIDENCE, ConsensusCoordinates, EvidenceConfidence
from dsm_ros.network.confidence_head import ConfidenceHead
from dsm_ros.network.config import NetworkConfig
from dsm_ros.network.consensus import Consensus, find_consensus
from dsm_ros.network.coordinate_head import CoordinateHead, CoordinateMaps
from dsm_ros.network.cost_volume import Candidates, CostVolume, correlate_all_pairs, correlate_windows, keep_best
from dsm_ros.network.encoder import Encoder, LiteEncoder
from dsm_ros.network.features import ImageFeatures, KeyframeFeatures, Scene, SceneLevel, pixel_rays
from dsm_ros.network.layers import enlarge
from dsm_ros.network.level_volume import CellMatches, LevelVolume, distinctness, stack_volumes
from dsm_ros.network.paper_encoder import PaperEncoder
from dsm_ros.network.surface import seen_surface

Keep = Callable[[Candidates, SceneLevel, int], CostVolume]
Agree = Callable[[CostVolume, float, float], Consensus]
ENCODERS: dict[str, type[Encoder]] = {"lite": LiteEncoder, "paper": PaperEncoder}


@dataclass(frozen=True)
class LevelMatch:
    """What one level found for B queries.

    coords_B3HW, hypotheses_BQ3HW: metres, each scene's local frame. weights_BQHW: of the hypotheses, the last of which
    is regressed. candidates: of each query; evidence_BEHW: 0..1.
    """

    coords_B3HW: Tensor
    hypotheses_BQ3HW: Tensor
    weights_BQHW: Tensor
    evidence_BEHW: Tensor
    candidates: tuple[Candidates, ...]


@dataclass(frozen=True)
class DenseMatch:
    """Dense coordinates of one image at the finest level, on the host, and the levels they came from, on the device.

    coords_HW3: metres, the scene's local frame. confidence_HW: 0..1.
    """

    coords_HW3: Tensor
    confidence_HW: Tensor
    levels: tuple[LevelMatch, ...]

    @property
    def confidence(self) -> float:
        """The mean confidence over all cells, s of the paper."""
        return float(self.confidence_HW.mean())


class DsmNet(nn.Module):
    """Encoder, coarse-to-fine matching and heads.

    model_hash: of the weights. share: a network whose weights are used, of the same shape but for trained heads, which
    config may leave out. keep, agree: how the candidates of a cell are chosen and weighed.
    """

    def __init__(
        self,
        config: NetworkConfig | None = None,
        model_hash: str = "untrained",
        share: DsmNet | None = None,
        keep: Keep = keep_best,
        agree: Agree = find_consensus,
    ):
        super().__init__()
        self._config = config or NetworkConfig()
        self._model_hash = model_hash
        self._keep, self._agree = keep, agree
        own = ENCODERS[self.config.encoder]
        self.encoder: Encoder = share.encoder if share else own(self.config.channels)
        self.confidence_head, self.coordinate_heads = self._heads(share)
        if share:
            self.train(share.training)

    def _heads(self, share: DsmNet | None) -> tuple[nn.Module, nn.ModuleList]:
        """Return the confidence head and the coordinate head of each level: shared, or untrained ones, or analytic."""
        if share and share.config.trained_heads == self.config.trained_heads:
            return share.confidence_head, share.coordinate_heads
        levels = len(self.encoder.strides)
        if self.config.trained_heads:
            shapes = [self.config.coarse_head] + [self.config.fine_head] * (levels - 1)
            heads: list[nn.Module] = [
                CoordinateHead(self.config.candidates_at(level), self.config.channels, shape)
                for level, shape in enumerate(shapes)
            ]
            return ConfidenceHead(EVIDENCE * levels, self.config.confidence_channels), nn.ModuleList(heads)
        return EvidenceConfidence(), nn.ModuleList(ConsensusCoordinates() for _ in range(levels))

    @property
    def config(self) -> NetworkConfig:
        """The shape of the network and the numbers of its matching."""
        return self._config

    @property
    def model_hash(self) -> str:
        """What the features of a map are stored under."""
        return self._model_hash

    @property
    def name(self) -> str:
        """The preset and the start of the weights' checksum."""
        return f"{self.config.name}-{self.model_hash[:8]}"

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.parameters()).device

    @torch.inference_mode()
    def encode(self, image_HW3: NDArray[np.uint8], camera: Camera) -> ImageFeatures:
        """Encode one image (uint8 RGB) of any camera; ValueError when image and camera differ in size."""
        target = pinhole_of_size(camera, self.config.long_side_px)
        rectified = torch.from_numpy(rectify_image(image_HW3, camera, target)).to(self.device)
        levels, descriptor_1D = self.encoder(rectified.permute(2, 0, 1)[None].float())
        return ImageFeatures(tuple(level[0] for level in levels), descriptor_1D[0], target)

    def encode_keyframe(
        self, image_HW3: NDArray[np.uint8], depth_HW: NDArray[np.float32], camera: Camera, map_T_camera: Pose44
    ) -> KeyframeFeatures:
        """Encode a map image with its registered depth (float32 m, 0 = unknown) and pose."""
        image = self.encode(image_HW3, camera)
        depth = torch.from_numpy(rectify_depth(depth_HW, camera, image.camera)).to(self.device)
        depths = tuple(pool_depth(depth, stride) for stride in self.encoder.strides)
        return KeyframeFeatures(image, depths, map_T_camera)

    @torch.inference_mode()
    def match(self, query: ImageFeatures, scene: Scene) -> DenseMatch:
        """Match an image against a scene coarse to fine [3.3]."""
        return self._dense(query, scene, self.match_levels([query], [scene]))

    @torch.inference_mode()
    def guided_match(self, query: ImageFeatures, scene: Scene, match: DenseMatch, map_T_camera: Pose44) -> DenseMatch:
        """Match the finest level again, around what a camera at a pose found by ``match`` should see of the scene.

        Cells that took a wrong place on a blank or repeated surface get the right candidates this way.
        """
        last = len(self.coordinate_heads) - 1
        coords_B3HW = match.levels[last].coords_B3HW
        size = coords_B3HW.shape[2], coords_B3HW.shape[3]
        camera_T_local = invert(map_T_camera) @ scene.map_T_local
        surface_3HW, seen_HW = seen_surface(scene.levels[last], query.camera, camera_T_local, *size)
        initial_B3HW = torch.where(seen_HW, surface_3HW, coords_B3HW)
        again = self._match_level(last, [query], [scene], initial_B3HW)
        return self._dense(query, scene, [*match.levels[:last], again])

    def _dense(self, query: ImageFeatures, scene: Scene, levels: list[LevelMatch]) -> DenseMatch:
        logits_BHW = self.confidence_logits([query], [scene], levels)
        answer_4HW = torch.cat([levels[-1].coords_B3HW[0], logits_BHW.sigmoid()]).cpu()
        return DenseMatch(answer_4HW[:3].permute(1, 2, 0), answer_4HW[3], tuple(levels))

    def match_levels(self, queries: Sequence[ImageFeatures], scenes: Sequence[Scene]) -> list[LevelMatch]:
        """Match a batch of images, all of one size, each against its own scene; one result per level."""
        found: list[LevelMatch] = []
        for level in range(len(self.coordinate_heads)):
            initial_B3HW = enlarge(found[-1].coords_B3HW).detach() if found else _means(scenes, queries)
            found.append(self._match_level(level, queries, scenes, initial_B3HW))
        return found

    def _match_level(
        self, level: int, queries: Sequence[ImageFeatures], scenes: Sequence[Scene], initial_B3HW: Tensor
    ) -> LevelMatch:
        """Match at one level, from initial coordinates (m, local frames)."""
        query_BCHW = torch.stack([query.levels[level] for query in queries])
        candidates = [
            self._candidates(query_CHW, scene, level, initial_3HW)
            for query_CHW, scene, initial_3HW in zip(query_BCHW, scenes, initial_B3HW, strict=True)
        ]
        volume = self._volume(candidates, scenes, level, query_BCHW.shape[2:])
        radius_B = self._agreement_m(level) / torch.stack([scene.deviation for scene in scenes])
        head = self.coordinate_heads[level]
        maps = head(volume, query_BCHW, _per_scene(scenes, initial_B3HW, Scene.normalise), radius_B)
        return _level_match(maps, volume, candidates, scenes)

    def _agreement_m(self, level: int) -> float:
        return self.config.agreement_m[min(level, 1)]

    def _candidates(self, query_CHW: Tensor, scene: Scene, level: int, initial_3HW: Tensor) -> Candidates:
        if level == 0:
            return correlate_all_pairs(query_CHW, scene.levels[0])
        initial_P3 = initial_3HW.flatten(1).T.contiguous()
        return correlate_windows(query_CHW, scene.levels[level], initial_P3, self.config.window_radius)

    def _volume(
        self, candidates: Sequence[Candidates], scenes: Sequence[Scene], level: int, size: Sequence[int]
    ) -> LevelVolume:
        """Keep the best candidates of every cell and see where they agree [3.3.1]."""
        matches = []
        for of_query, scene in zip(candidates, scenes, strict=True):
            volume = self._keep(of_query, scene.levels[level], self.config.candidates_at(level))
            consensus = self._agree(volume, self.config.temperature, self._agreement_m(level))
            matches.append(CellMatches(volume, consensus, distinctness(of_query, volume, size[1])))
        return stack_volumes(matches, scenes, size[0])

    def confidence_logits(
        self, queries: Sequence[ImageFeatures], scenes: Sequence[Scene], levels: Sequence[LevelMatch]
    ) -> Tensor:
        """Return logits (B, H, W) of the finest coordinates being right [3.3.3]; no gradient reaches the matching."""
        coords_B3HW = levels[-1].coords_B3HW
        size = coords_B3HW.shape[2:]
        evidence = [F.interpolate(level.evidence_BEHW, size, mode="bilinear") for level in levels]
        rays_B2HW = torch.stack([pixel_rays(query.camera, size[0], size[1], coords_B3HW.device) for query in queries])
        normalised_B3HW = _per_scene(scenes, coords_B3HW, Scene.normalise)
        return self.confidence_head(torch.cat([normalised_B3HW, rays_B2HW, *evidence], dim=1).detach())


def _level_match(
    maps: CoordinateMaps, volume: LevelVolume, candidates: Sequence[Candidates], scenes: Sequence[Scene]
) -> LevelMatch:
    return LevelMatch(
        _per_scene(scenes, maps.coords_B3HW, Scene.metric),
        _per_scene(scenes, maps.hypotheses_BQ3HW, Scene.metric),
        maps.weights_BQHW,
        torch.cat([volume.evidence_B3HW, maps.support_B1HW], dim=1),
        tuple(candidates),
    )


def _per_scene(scenes: Sequence[Scene], maps_BX3HW: Tensor, change: Callable[[Scene, Tensor], Tensor]) -> Tensor:
    """Apply a scene's change of coordinates to the maps (3, H, W), or stacks of them, of each query."""
    maps_BXHW3 = maps_BX3HW.movedim(-3, -1)
    return torch.stack([change(*pair) for pair in zip(scenes, maps_BXHW3, strict=True)]).movedim(-1, -3)


def _means(scenes: Sequence[Scene], queries: Sequence[ImageFeatures]) -> Tensor:
    """Return where a search without any idea starts: each scene's mean, (B, 3, H, W)."""
    means_B3 = torch.stack([scene.mean_3 for scene in scenes])
    return means_B3[:, :, None, None].expand(-1, -1, *queries[0].levels[0].shape[1:])


def without_heads(network: DsmNet) -> DsmNet:
    """Return the network with the same encoder and no trained heads, to measure the heads against."""
    config = replace(network.config, trained_heads=False)
    return DsmNet(config, f"floor-{network.model_hash}", share=network)
