"""Matching one image against keyframes: a first match, and a guided match around the pose it led to [paper 3.3]."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from dsm_ros.geometry.correspondences import Correspondences
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.keyframe_selection import keyframes_around
from dsm_ros.localization.pose_estimation import PoseEstimate, estimate_pose, most_confident_cells, reestimate_pose
from dsm_ros.localization.stopwatch import Stopwatch
from dsm_ros.localization.view import View
from dsm_ros.network.dsm_net import DenseMatch, DsmNet
from dsm_ros.network.features import ImageFeatures, KeyframeFeatures, Scene, gather_scene
from dsm_ros.network.temporal import PreviousFrame, fuse_previous, scene_weight
from dsm_ros.scene_map.scene_map import SceneMap


@dataclass(frozen=True)
class MatchedImage:
    """An image, the keyframes it was matched against (best first), its dense match and its pose estimate.

    scene: of these keyframes alone. match: the guided match, or the first one where there is no guided match.
    """

    view: View
    query: ImageFeatures
    keyframe_ids: tuple[int, ...]
    keyframes: tuple[KeyframeFeatures, ...]
    scene: Scene
    match: DenseMatch
    estimate: PoseEstimate

    def correspondences(self, count: int) -> Correspondences:
        """Return those of up to ``count`` cells of the dense match, the most confident first."""
        return most_confident_cells(self.match, self.scene, self.query.camera, self.view.rig_T_camera, count)


class Matcher:
    """Matches images against the keyframes of one map with one network.

    weigh_scene: alpha [3.3.1], the weight of the scene's correlation beside the previous frame's, by the mean
    confidence of the first match.
    """

    def __init__(
        self, scene_map: SceneMap, network: DsmNet, weigh_scene: Callable[[float], float] = scene_weight
    ) -> None:
        self._scene_map, self._network, self._weigh_scene = scene_map, network, weigh_scene

    def first_match(
        self, view: View, query: ImageFeatures, keyframe_ids: Sequence[int], config: LocalizerConfig, watch: Stopwatch
    ) -> MatchedImage | None:
        """Match an encoded image against keyframes and estimate its pose; None without keyframes."""
        keyframes = self._scene_map.features(keyframe_ids)
        watch.lap("retrieve")
        if not keyframes:
            return None
        scene = gather_scene(keyframes)
        match = self._network.match(query, scene)
        watch.lap("match")
        correspondences = most_confident_cells(match, scene, query.camera, view.rig_T_camera, config.pnp_cells)
        estimate = estimate_pose(correspondences, config)
        watch.lap("pnp")
        return MatchedImage(view, query, tuple(keyframe_ids), tuple(keyframes), scene, match, estimate)

    def guided_match(
        self, image: MatchedImage, previous: PreviousFrame | None, config: LocalizerConfig, watch: Stopwatch
    ) -> MatchedImage:
        """Match again around the pose estimate, with the previous frame where it can change the result, and refine.

        The correspondences of the map alone must support the second pose as they did the first: two neighbouring frames
        agree with each other wherever the previous pose was. So an image whose first match supports no pose, or not
        the second pose, is returned as it was.
        """
        map_T_camera = image.estimate.map_T_camera
        if map_T_camera is None or not image.estimate.is_supported(config):
            return image
        keyframes = keyframes_around(self._scene_map, image.query.camera, map_T_camera, image.keyframe_ids, config)
        watch.lap("retrieve")
        scene = gather_scene(keyframes, image.scene.map_T_local) if keyframes else image.scene
        alpha = self._weigh_scene(image.match.confidence)
        fused = fuse_previous(scene, previous, alpha) if alpha < 1 and previous else scene
        match = self._network.guided_match(image.query, fused, image.match, map_T_camera)
        watch.lap("match")
        guided = replace(image, match=match)
        estimate = reestimate_pose(image.estimate, guided.correspondences(config.guided_pnp_cells), config)
        watch.lap("pnp")
        return replace(guided, estimate=estimate) if estimate.is_supported(config) else image
