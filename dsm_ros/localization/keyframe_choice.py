"""Which keyframes an image is matched against [paper 3.1]."""

from __future__ import annotations

from collections.abc import Sequence

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.covisibility import fill_view
from dsm_ros.network.features import ImageFeatures, KeyframeFeatures
from dsm_ros.scene_map.scene_map import SceneMap


def expected_keyframes(scene_map: SceneMap, query: ImageFeatures, near: Pose44, config: LocalizerConfig) -> list[int]:
    """Return the ids of the keyframes nearest to where a camera is expected, and of a few that look alike.

    They are at most N, usually fewer: an expectation that holds needs no more, and where one fails all is searched.
    """
    nearest = scene_map.nearest(near, config.near_keyframes)
    alike = scene_map.retrieve(query.descriptor_D, config.alike_keyframes)
    return list(dict.fromkeys([*nearest, *alike]))[: config.keyframes]


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
