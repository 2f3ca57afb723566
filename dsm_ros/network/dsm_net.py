"""The dense scene matching network, from an image and a scene to coordinates and confidence of each cell [paper 3]."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44, invert
from dsm_ros.geometry.rectify import AREA_FROM, pinhole_of_size, rectify_depth, rectify_image, require_rgb
from dsm_ros.geometry.sampling import pool_depth
from dsm_ros.network.config import NetworkConfig
from dsm_ros.network.consensus import find_consensus
from dsm_ros.network.cost_volume import (
    Candidates,
    correlate_all_pairs,
    correlate_neighbourhoods,
    correlate_windows,
    keep_best,
)
from dsm_ros.network.dense_match import DenseMatch, on_host
from dsm_ros.network.encoder import Encoder, LiteEncoder
from dsm_ros.network.features import ImageFeatures, KeyframeFeatures, Scene, SceneLevel
from dsm_ros.network.grids import pixel_rays
from dsm_ros.network.head_inputs import ConfidenceInput
from dsm_ros.network.heads import make_confidence_head, make_coordinate_heads
from dsm_ros.network.layers import enlarge
from dsm_ros.network.level_matcher import Agree, Correlate, Keep, LevelMatch, LevelMatcher
from dsm_ros.network.paper_encoder import PaperEncoder
from dsm_ros.network.recorded import Recorder, call_directly
from dsm_ros.network.runtime import Runtime
from dsm_ros.network.scene_frames import SceneFrames
from dsm_ros.network.surface import GridCamera, expected_surface, grid_camera, visible_surface

LOCAL_RADIUS = 3  # of the coarse search around an expected surface, in cells: 48 of 512 px
PARTS = ("encoder", "coordinate_heads", "confidence_head")
ENCODERS: dict[str, type[Encoder]] = {"lite": LiteEncoder, "paper": PaperEncoder}


class DsmNet(nn.Module):
    """Encoder, coarse-to-fine matching and heads.

    model_hash: checksum of the weights. share: a network of the same shape whose weights are used, with or without
    its trained heads. keep, agree: functions that select and combine the candidates of a cell.
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
        self.encoder: Encoder = share.encoder if share else ENCODERS[self.config.encoder](self.config.channels)
        levels = len(self.encoder.strides)
        same = share if share and share.config.trained_coordinates == self.config.trained_coordinates else None
        self.coordinate_heads: nn.ModuleList = (
            same.coordinate_heads if same else make_coordinate_heads(self.config, levels)
        )
        same = share if share and share.config.trained_confidence == self.config.trained_confidence else None
        self.confidence_head: nn.Module = same.confidence_head if same else make_confidence_head(self.config, levels)
        # A CUDA graph contains calls of torch only.
        self._call = Recorder() if self.runtime == Runtime.TORCH else call_directly
        if share:
            self.train(share.training)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in PARTS and hasattr(self, name):
            raise AttributeError(f"{name} of a network cannot be assigned; use replace_parts")
        super().__setattr__(name, value)

    @property
    def config(self) -> NetworkConfig:
        """The configuration of the network."""
        return self._config

    @property
    def model_hash(self) -> str:
        """The checksum of the weights, under which a map stores features."""
        return self._model_hash

    @property
    def name(self) -> str:
        """The preset and the start of the weights' checksum."""
        return f"{self.config.name}-{self.model_hash[:8]}"

    @property
    def runtime(self) -> str:
        """The library that runs the encoder, for example "torch" or "onnxruntime (CPU)"."""
        return self.encoder.runtime

    @property
    def device(self) -> torch.device:
        """The device of the weights."""
        return next(self.parameters()).device

    def replace_parts(
        self, encoder: nn.Module, coordinate_heads: Mapping[int, nn.Module], confidence_head: nn.Module
    ) -> None:
        """Use the parts of another runtime: an encoder, Net_coords by level, and Net_conf, with the same interfaces."""
        self.add_module("encoder", encoder)
        for level, head in coordinate_heads.items():
            self.coordinate_heads[level] = head
        self.add_module("confidence_head", confidence_head)
        self._call = call_directly

    @torch.inference_mode()
    def encode(self, image_HW3: NDArray[np.uint8], camera: Camera) -> ImageFeatures:
        """Encode one image of any camera; ValueError unless the image is uint8 RGB and has the size of its camera."""
        require_rgb(image_HW3)
        target = pinhole_of_size(camera, self.config.long_side_px)
        rectified = torch.from_numpy(rectify_image(image_HW3, camera, target, AREA_FROM)).to(self.device)
        levels, descriptor_D = self._call(self._encode, rectified)
        return ImageFeatures(levels, descriptor_D, target)

    def _encode(self, image_HW3: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        levels, descriptor_1D = self.encoder(image_HW3.permute(2, 0, 1)[None].float())
        return tuple(level[0] for level in levels), descriptor_1D[0]

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
        """Match an image against a scene coarse to fine [paper 3.3]."""
        return on_host(*self._call(self._match, query, scene))

    @torch.inference_mode()
    def local_match(self, query: ImageFeatures, scene: Scene) -> DenseMatch:
        """Match an image as ``match`` does, but at the coarsest level only around the expected surface [method 4].

        scene: in the local frame of the expected camera.
        """
        return on_host(*self._call(self._match_locally, query, scene))

    @torch.inference_mode()
    def guided_match(self, query: ImageFeatures, scene: Scene, match: DenseMatch, map_T_camera: Pose44) -> DenseMatch:
        """Match the finest level again, around the surface that a camera at an estimated pose should see.

        A cell that matched a wrong place on a blank or repeated surface then has the right candidates [method 8].
        """
        camera_T_local = invert(map_T_camera) @ scene.map_T_local
        grid = grid_camera(scene.levels[-1].coords_N3HW, query.camera, camera_T_local, *match.confidence_HW.shape)
        levels = [replace(level, searches=()) for level in match.levels]
        return on_host(*self._call(self._match_again, query, scene, levels, grid))

    def _match(self, query: ImageFeatures, scene: Scene) -> tuple[list[LevelMatch], Tensor]:
        return self._dense(query, self.match_levels([query], [scene]))

    def _match_locally(self, query: ImageFeatures, scene: Scene) -> tuple[list[LevelMatch], Tensor]:
        correlate = partial(correlate_neighbourhoods, radius=LOCAL_RADIUS)
        height, width = query.levels[0].shape[1:]
        expected_B3HW = expected_surface(scene.levels[0], query.camera, height, width)[None]
        coarsest = self.level_matcher(0, correlate).match([query], [scene], expected_B3HW)
        return self._dense(query, self._with_finer_levels(coarsest, [query], [scene]))

    def _match_again(
        self, query: ImageFeatures, scene: Scene, levels: Sequence[LevelMatch], grid: GridCamera
    ) -> tuple[list[LevelMatch], Tensor]:
        last = len(levels) - 1
        surface_3HW, visible_HW = visible_surface(scene.levels[last], grid)
        initial_B3HW = torch.where(visible_HW, surface_3HW, levels[last].coords_B3HW)
        again = self.level_matcher(last).match([query], [scene], initial_B3HW)
        return self._dense(query, [*levels[:last], again])

    def _dense(self, query: ImageFeatures, levels: list[LevelMatch]) -> tuple[list[LevelMatch], Tensor]:
        """Return the levels with the finest coordinates and their confidence (4, H, W)."""
        confidence_BHW = self.confidence_logits([query], levels).sigmoid()
        return levels, torch.cat([levels[-1].coords_B3HW[0], confidence_BHW])

    def match_levels(self, queries: Sequence[ImageFeatures], scenes: Sequence[Scene]) -> list[LevelMatch]:
        """Match a batch of images, all of one size, each against its own scene; one result per level.

        Consecutive queries whose scenes have equal numbers of images are matched in one pass.
        """
        coarsest = self.level_matcher(0).match(queries, scenes, _scene_means(scenes, queries))
        return self._with_finer_levels(coarsest, queries, scenes)

    def _with_finer_levels(
        self, coarsest: LevelMatch, queries: Sequence[ImageFeatures], scenes: Sequence[Scene]
    ) -> list[LevelMatch]:
        found = [coarsest]
        for level in range(1, len(self.coordinate_heads)):
            initial_B3HW = enlarge(found[-1].coords_B3HW).detach()
            found.append(self.level_matcher(level).match(queries, scenes, initial_B3HW))
        return found

    def level_matcher(self, level: int, correlate: Correlate | None = None) -> LevelMatcher:
        """Return the matcher of one level; level 0 is the coarsest.

        correlate: replaces the correlation of all pairs at the coarsest level, or of windows at finer levels.
        """
        windows = partial(correlate_windows, radius=self.config.window_radius)
        correlate = correlate or (windows if level else _correlate_everywhere)
        return LevelMatcher(level, self.config, self.coordinate_heads[level], correlate, self._keep, self._agree)

    def confidence_logits(self, queries: Sequence[ImageFeatures], levels: Sequence[LevelMatch]) -> Tensor:
        """Return the logit (B, H, W) that each finest coordinate is right [paper 3.3.3], from detached matches."""
        return self.confidence_head(self.confidence_input(queries, levels))

    def confidence_input(self, queries: Sequence[ImageFeatures], levels: Sequence[LevelMatch]) -> ConfidenceInput:
        """Return the input of Net_conf, from detached matches of all levels."""
        coords_B3HW = levels[-1].coords_B3HW.detach()
        height, width = coords_B3HW.shape[2:]
        rays = {camera: pixel_rays(camera, height, width, coords_B3HW.device) for camera in {q.camera for q in queries}}
        rays_B2HW = torch.stack([rays[query.camera] for query in queries])
        evidence = [F.interpolate(level.evidence.stacked(), (height, width), mode="bilinear") for level in levels]
        evidence_BLEHW = torch.stack(evidence, dim=1).detach()
        coarser_B3HW = F.interpolate(levels[-2].coords_B3HW.detach(), (height, width))
        return ConfidenceInput(coords_B3HW, coarser_B3HW, rays_B2HW, evidence_BLEHW)


def _correlate_everywhere(query_BCHW: Tensor, scene: SceneLevel, initial_BP3: Tensor) -> Candidates:
    return correlate_all_pairs(query_BCHW, scene)


def _scene_means(scenes: Sequence[Scene], queries: Sequence[ImageFeatures]) -> Tensor:
    """Return each scene's mean (B, 3, H, W), the initial coordinates of the coarsest level."""
    means_B3 = SceneFrames.of(scenes).mean_B3
    return means_B3[:, :, None, None].expand(-1, -1, *queries[0].levels[0].shape[1:])


def without_heads(network: DsmNet) -> DsmNet:
    """Return a network with the same encoder and analytic heads, as a baseline for trained heads."""
    config = replace(network.config, trained_coordinates=False, trained_confidence=False)
    return DsmNet(config, f"analytic-{network.model_hash}", share=network)
