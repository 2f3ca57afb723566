"""A network whose calls wait for the device, so that their duration includes all computation on the device."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44
from dsm_ros.network.dense_match import DenseMatch
from dsm_ros.network.dsm_net import DsmNet
from dsm_ros.network.features import ImageFeatures, Scene


class SynchronisedNetwork(DsmNet):
    """A network whose calls return when the device has finished all queued work.

    wait: a function that blocks until the device has finished.
    """

    def __init__(self, network: DsmNet, wait: Callable[[], None]):
        super().__init__(network.config, network.model_hash, network)
        self._wait = wait

    def encode(self, image_HW3: NDArray[np.uint8], camera: Camera) -> ImageFeatures:
        """Encode one image; see ``DsmNet.encode``."""
        features = super().encode(image_HW3, camera)
        self._wait()
        return features

    def match(self, query: ImageFeatures, scene: Scene) -> DenseMatch:
        """Match an image against a scene; see ``DsmNet.match``."""
        match = super().match(query, scene)
        self._wait()
        return match

    def local_match(self, query: ImageFeatures, scene: Scene) -> DenseMatch:
        """Match an image around its expected pose; see ``DsmNet.local_match``."""
        match = super().local_match(query, scene)
        self._wait()
        return match

    def guided_match(self, query: ImageFeatures, scene: Scene, match: DenseMatch, map_T_camera: Pose44) -> DenseMatch:
        """Match the finest level again around a pose; see ``DsmNet.guided_match``."""
        guided = super().guided_match(query, scene, match, map_T_camera)
        self._wait()
        return guided


def synchronised(network: DsmNet) -> DsmNet:
    """Return a network whose calls wait for its device; on a CPU, return the network unchanged."""
    if network.device.type == "cpu":
        return network
    return SynchronisedNetwork(network, partial(torch.cuda.synchronize, network.device))
