"""A network that waits for its device, so that a stopwatch beside it measures computing and not queueing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44
from dsm_ros.network.dsm_net import DenseMatch, DsmNet
from dsm_ros.network.features import ImageFeatures, Scene


class SynchronisedNetwork(DsmNet):
    """The same network; each call returns when everything queued on the device has been computed.

    wait: blocks until then.
    """

    def __init__(self, network: DsmNet, wait: Callable[[], None]):
        super().__init__(network.config, network.model_hash, network)
        self._wait = wait

    def encode(self, image_HW3: NDArray[np.uint8], camera: Camera) -> ImageFeatures:
        """Encode one image, see DsmNet."""
        features = super().encode(image_HW3, camera)
        self._wait()
        return features

    def match(self, query: ImageFeatures, scene: Scene) -> DenseMatch:
        """Match an image against a scene, see DsmNet."""
        match = super().match(query, scene)
        self._wait()
        return match

    def guided_match(self, query: ImageFeatures, scene: Scene, match: DenseMatch, map_T_camera: Pose44) -> DenseMatch:
        """Match the finest level again around a pose, see DsmNet."""
        guided = super().guided_match(query, scene, match, map_T_camera)
        self._wait()
        return guided


def synchronised(network: DsmNet) -> DsmNet:
    """Return a network whose calls take as long as their computing does: on a CPU they do already."""
    if network.device.type == "cpu":
        return network
    return SynchronisedNetwork(network, partial(torch.cuda.synchronize, network.device))
