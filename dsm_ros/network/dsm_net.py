"""The dense scene matching network: image and scene in, dense scene coordinates and confidence out [paper 3]."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44
from dsm_ros.geometry.rectify import pinhole_of_size, rectify_depth, rectify_image
from dsm_ros.geometry.sampling import pool_depth
from dsm_ros.network.confidence_head import mutual_confidence, score_confidence
from dsm_ros.network.coordinate_head import ConsensusHead, CoordinateMap
from dsm_ros.network.cost_volume import correlate_all_pairs, correlate_windows, keep_best
from dsm_ros.network.encoder import Encoder
from dsm_ros.network.features import ImageFeatures, KeyframeFeatures, Scene


@dataclass(frozen=True)
class NetworkConfig:
    """What fixes the network besides its weights; stored with them."""

    name: str = "lite"
    long_side_px: int = 512
    candidates: int = 16
    window_radius: int = 1
    temperature: float = 0.02
    coarse_agreement_m: float = 0.2
    fine_agreement_m: float = 0.1


@dataclass(frozen=True)
class DenseMatch:
    """Dense coordinates of one image at the finest level.

    coords_HW3: metres, the scene's local frame. confidence_HW: 0..1.
    """

    coords_HW3: Tensor
    confidence_HW: Tensor

    @property
    def certainty(self) -> float:
        """The mean confidence over all cells, s of the paper."""
        return float(self.confidence_HW.mean())


class DsmNet(nn.Module):
    """Encoder, coarse-to-fine matching and heads."""

    def __init__(self, config: NetworkConfig | None = None, model_hash: str = "untrained"):
        super().__init__()
        self.config = config or NetworkConfig()
        self.model_hash = model_hash
        self.encoder = Encoder()
        self.coarse_head = ConsensusHead(self.config.temperature, self.config.coarse_agreement_m)
        self.fine_head = ConsensusHead(self.config.temperature, self.config.fine_agreement_m)

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
        coarse, confidence_P = self._match_all_pairs(query, scene)
        height, width = query.levels[0].shape[1:]
        coarse_3HW, confidence_1HW = (
            coarse.coords_P3.T.unflatten(1, (height, width)),
            confidence_P.view(1, height, width),
        )
        fine, fine_confidence_P = self._match_windows(query, scene, enlarge(coarse_3HW, "nearest"))
        height, width = query.levels[1].shape[1:]
        certainty_HW = (fine_confidence_P.view(height, width) * enlarge(confidence_1HW, "bilinear")[0]).sqrt()
        return DenseMatch(fine.coords_P3.view(height, width, 3), certainty_HW)

    def _match_all_pairs(self, query: ImageFeatures, scene: Scene) -> tuple[CoordinateMap, Tensor]:
        candidates = correlate_all_pairs(query.levels[0], scene.levels[0])
        volume = keep_best(candidates, scene.levels[0], self.config.candidates)
        coordinates = self.coarse_head(volume)
        mutual_P = mutual_confidence(candidates, volume, query.levels[0].shape[2])
        return coordinates, score_confidence(volume, coordinates) * mutual_P

    def _match_windows(self, query: ImageFeatures, scene: Scene, initial_3HW: Tensor) -> tuple[CoordinateMap, Tensor]:
        initial_P3 = initial_3HW.flatten(1).T.contiguous()
        candidates = correlate_windows(query.levels[1], scene.levels[1], initial_P3, self.config.window_radius)
        volume = keep_best(candidates, scene.levels[1], self.config.candidates)
        coordinates = self.fine_head(volume)
        return coordinates, score_confidence(volume, coordinates)


def enlarge(map_CHW: Tensor, mode: str) -> Tensor:
    """Return a map on a grid twice as fine."""
    return F.interpolate(map_CHW[None], scale_factor=2.0, mode=mode)[0]
