"""Views, which are images of one moment, each with its camera and the pose of the camera on the rig."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44


@dataclass(frozen=True)
class View:
    """An image (uint8 RGB) of one camera, and the pose of that camera on its rig.

    name: name of the camera. rig_T_camera: pose of the camera on the rig; the identity for a single camera.
    """

    name: str
    image_HW3: NDArray[np.uint8]
    camera: Camera
    rig_T_camera: Pose44


def single_view(image_HW3: NDArray[np.uint8], camera: Camera) -> tuple[View]:
    """Return the view of a rig with one camera, in which the pose of the rig is the pose of the camera."""
    return (View("", image_HW3, camera, np.eye(4)),)
