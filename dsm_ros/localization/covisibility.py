"""Which keyframes show what a camera at a pose sees."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44
from dsm_ros.network.features import KeyframeFeatures, gather_surface
from dsm_ros.network.surface import seen_depths

SAME_SURFACE = 1.1  # depths in this ratio are of one surface; one further away is hidden behind it
WORTH_AGAIN = 0.5  # of a cell that one more keyframe shows


def fill_view(
    keyframes: Sequence[KeyframeFeatures], first: int, count: int, camera: Camera, map_T_camera: Pose44
) -> list[KeyframeFeatures]:
    """Return up to ``count`` keyframes that show what a camera sees: the first ones, then those that add most.

    Those that show nothing of it are left out.
    """
    surface = gather_surface(keyframes, 0, map_T_camera)
    depths_NP = seen_depths(surface, camera, np.eye(4), *surface.valid_NHW.shape[1:]).flatten(1).cpu()
    shown_NP = depths_NP.isfinite() & (depths_NP <= SAME_SURFACE * depths_NP.amin(0))
    chosen = [i for i in range(min(first, len(keyframes))) if shown_NP[i].any()]
    while len(chosen) < count:
        worth_P = WORTH_AGAIN ** shown_NP[chosen].sum(0)
        gain_N = shown_NP.float() @ worth_P
        gain_N[chosen] = 0
        if not gain_N.any():
            break
        chosen.append(int(gain_N.argmax()))
    return [keyframes[i] for i in chosen]
