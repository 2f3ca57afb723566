"""Learnt keypoint methods from kornia (the optional extra ``peers``), whose weights are downloaded at first use."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable
from http.client import HTTPException
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dsm_ros.evaluation.peers.mutual import mutual_matches
from dsm_ros.evaluation.peers.peer import Keypoints, PeerUnavailable

XFEAT_KEYPOINTS, XFEAT_MIN_SIMILARITY = 4096, 0.82  # the defaults of XFeat
ALIKED_KEYPOINTS = 1024


class XFeat:
    """XFeat keypoints (CVPR 2024), matched by mutual nearest neighbours."""

    def __init__(self, device: torch.device):
        kornia_features = _kornia()
        self._device = device
        self._model = _load(lambda: kornia_features.XFeat.from_pretrained(top_k=XFEAT_KEYPOINTS), device)

    @torch.inference_mode()
    def describe(self, image_HW3: NDArray[np.uint8]) -> Keypoints:
        """Return the keypoints of an image."""
        (found,) = self._model.detectAndCompute(_batch(image_HW3, self._device))
        return _keypoints(found["keypoints"], found["descriptors"], image_HW3)

    @torch.inference_mode()
    def match(self, query: Keypoints, keyframe: Keypoints) -> NDArray[np.int64]:
        """Return the matches (M, 2): rows of the query's keypoints, rows of the keyframe's keypoints."""
        return mutual_matches(query.descriptors_ND, keyframe.descriptors_ND, XFEAT_MIN_SIMILARITY)


class AlikedLightGlue:
    """ALIKED keypoints (TIM 2023), matched by LightGlue (ICCV 2023)."""

    def __init__(self, device: torch.device):
        kornia_features = _kornia()
        self._device = device
        self._detector = _load(
            lambda: kornia_features.ALIKED.from_pretrained("aliked-n16", max_num_keypoints=ALIKED_KEYPOINTS), device
        )
        self._matcher = _load(lambda: kornia_features.LightGlue("aliked"), device)

    @torch.inference_mode()
    def describe(self, image_HW3: NDArray[np.uint8]) -> Keypoints:
        """Return the keypoints of an image."""
        (found,) = self._detector(_batch(image_HW3, self._device))
        return _keypoints(found.keypoints, found.descriptors, image_HW3)

    @torch.inference_mode()
    def match(self, query: Keypoints, keyframe: Keypoints) -> NDArray[np.int64]:
        """Return the matches (M, 2): rows of the query's keypoints, rows of the keyframe's keypoints."""
        (pairs_M2,) = self._matcher({"image0": self._input(query), "image1": self._input(keyframe)})["matches"]
        return pairs_M2.cpu().numpy()

    def _input(self, keypoints: Keypoints) -> dict[str, Tensor]:
        pixels_1N2 = torch.from_numpy(keypoints.pixels_N2).float().to(self._device)[None]
        size_12 = torch.tensor([keypoints.size_px], device=self._device)
        return {"keypoints": pixels_1N2, "descriptors": keypoints.descriptors_ND[None], "image_size": size_12}


def _kornia() -> Any:
    try:
        return importlib.import_module("kornia.feature")
    except ImportError as error:
        raise PeerUnavailable(f"needs kornia ({error}); run pip install '.[peers]' in the checkout") from error


def _load(make: Callable[[], Any], device: torch.device) -> Any:
    """Return a network with its weights, which are downloaded unless they are cached."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the error below replaces the warnings of each download attempt
            return make().eval().to(device)
    except (OSError, RuntimeError, HTTPException) as error:
        reason = str(error.__cause__ or error).splitlines()[0]
        raise PeerUnavailable(f"weights could not be downloaded ({reason}); try again with network access") from error


def _keypoints(pixels_N2: Tensor, descriptors_ND: Tensor, image_HW3: NDArray[np.uint8]) -> Keypoints:
    size_px = image_HW3.shape[1], image_HW3.shape[0]
    return Keypoints(pixels_N2.cpu().numpy().astype(np.float64), descriptors_ND, size_px)


def _batch(image_HW3: NDArray[np.uint8], device: torch.device) -> Tensor:
    return torch.from_numpy(image_HW3).to(device).permute(2, 0, 1)[None].float() / 255
