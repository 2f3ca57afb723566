"""Views, which are images of one moment, each with its camera and the pose of the camera on the rig."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44

if TYPE_CHECKING:  # the node starts before it loads torch
    from dsm_ros.network.dsm_net import DsmNet
    from dsm_ros.network.features import ImageFeatures


@dataclass(frozen=True)
class Encoded:
    """Features of an image that was encoded before its localization, the network that encoded it, and the time, ms."""

    features: ImageFeatures
    network: DsmNet
    ms: float


@dataclass(frozen=True)
class View:
    """An image (uint8 RGB) of one camera, and the pose of that camera on its rig.

    name: name of the camera. rig_T_camera: pose of the camera on the rig; the identity for a single camera. encoded:
    the features of the image if it was encoded before its localization.
    """

    name: str
    image_HW3: NDArray[np.uint8]
    camera: Camera
    rig_T_camera: Pose44
    encoded: Encoded | None = None


def encode(view: View, network: DsmNet) -> Encoded:
    """Return the features of a view. Raises ValueError when the image and its camera differ in size."""
    start_s = time.perf_counter()
    features = network.encode(view.image_HW3, view.camera)
    return Encoded(features, network, (time.perf_counter() - start_s) * 1e3)


def single_view(image_HW3: NDArray[np.uint8], camera: Camera) -> tuple[View]:
    """Return the view of a rig with one camera, in which the pose of the rig is the pose of the camera."""
    return (View("", image_HW3, camera, np.eye(4)),)
