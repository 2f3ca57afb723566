"""What is given to be localized: images of one moment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44


@dataclass(frozen=True)
class View:
    """An image (uint8 RGB) of one camera, and where that camera is in the frame whose pose is wanted.

    name: of the camera, the same for all its images. rig_T_camera: the identity for a camera that is alone.
    """

    name: str
    image_HW3: NDArray[np.uint8]
    camera: Camera
    rig_T_camera: Pose44
