"""Views: images of one moment, each with its camera and the pose of that camera on the rig."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44


@dataclass(frozen=True)
class View:
    """An image (uint8 RGB) of one camera, and the pose of that camera on its rig.

    name: of the camera, the same for all its images. rig_T_camera: the identity for a single camera.
    """

    name: str
    image_HW3: NDArray[np.uint8]
    camera: Camera
    rig_T_camera: Pose44


def single_view(image_HW3: NDArray[np.uint8], camera: Camera) -> tuple[View]:
    """Return the one view of a single camera, whose pose is that of the rig."""
    return (View("", image_HW3, camera, np.eye(4)),)
