"""Keyframe selection: the keyframes of the first match, and those of the guided match [paper 3.1]."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.network.features import ImageFeatures, KeyframeFeatures, gather_surface
from dsm_ros.network.surface import seen_depths
from dsm_ros.scene_map.scene_map import SceneMap

SAME_SURFACE = 1.1  # depths in this ratio are of one surface; one further away is hidden behind it
WORTH_AGAIN = 0.5  # of a cell that one more keyframe shows


def keyframes_to_match(
    scene_map: SceneMap, query: ImageFeatures, prior: Pose44 | None, config: LocalizerConfig
) -> list[list[int]]:
    """Return the ids of a few keyframes that mostly suffice, then those of the N that look most like the image.

    prior: where the camera is expected (map_T_camera). The few need to lead to a pose, no more: the guided match around
    it chooses its own keyframes.
    """
    alike = scene_map.retrieve(query.descriptor_D, config.keyframes)
    nearest = [] if prior is None else scene_map.nearest(prior, config.near_keyframes)
    few = list(dict.fromkeys([*nearest, *alike]))[: min(config.first_keyframes, config.keyframes)]
    return [few] if set(few) >= set(alike) else [few, alike]


def keyframes_around(
    scene_map: SceneMap, camera: Camera, map_T_camera: Pose44, ids: Sequence[int], config: LocalizerConfig
) -> list[KeyframeFeatures]:
    """Return the keyframes nearest to a pose estimate, then those of its neighbours and of ``ids`` that show the rest.

    Near views make the best poses; keyframes that look alike may all show one part of what the camera sees.
    """
    nearest = scene_map.nearest(map_T_camera, config.keyframes)
    known = scene_map.features(list(dict.fromkeys([*nearest, *ids])))
    first = min(config.guided_nearest_keyframes, len(nearest))
    return fill_view(known, first, config.guided_keyframes, camera, map_T_camera)


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
