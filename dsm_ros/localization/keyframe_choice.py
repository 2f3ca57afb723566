"""Which keyframes an image is matched against [paper 3.1]."""

from __future__ import annotations

from collections.abc import Sequence

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.covisibility import fill_view
from dsm_ros.network.features import ImageFeatures, KeyframeFeatures
from dsm_ros.scene_map.scene_map import SceneMap


def keyframes_to_match(
    scene_map: SceneMap, query: ImageFeatures, near: Pose44 | None, config: LocalizerConfig
) -> list[list[int]]:
    """Return the ids of a few keyframes that mostly suffice, then those of the N that look most alike.

    near: where the camera is expected (map_T_camera). The first match needs no more than a pose: the second one, around
    it, chooses its own keyframes.
    """
    alike = scene_map.retrieve(query.descriptor_D, config.keyframes)
    nearest = [] if near is None else scene_map.nearest(near, config.near_keyframes)
    few = list(dict.fromkeys([*nearest, *alike]))[: min(config.first_keyframes, config.keyframes)]
    return [few] if set(few) >= set(alike) else [few, alike]


def keyframes_around(
    scene_map: SceneMap, camera: Camera, map_T_camera: Pose44, ids: Sequence[int], config: LocalizerConfig
) -> list[KeyframeFeatures]:
    """Return the keyframes nearest to a pose found, and others that show what those do not: near, or those used before.

    Near views make the best poses; look-alikes may all show one part of what is seen.
    """
    nearest = scene_map.nearest(map_T_camera, config.keyframes)
    known = scene_map.features(list(dict.fromkeys([*nearest, *ids])))
    first = min(config.nearest_around, len(nearest))
    return fill_view(known, first, config.keyframes_around, camera, map_T_camera)
