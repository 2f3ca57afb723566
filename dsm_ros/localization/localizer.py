"""Dense scene matching, the method: one image in, a pose or a reason out [paper 3]."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pnp import reprojection_errors
from dsm_ros.geometry.pose import Pose44
from dsm_ros.localization.attempt import Attempt, attempt_around, attempt_pose
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.covariance import deviation_px, pose_covariance
from dsm_ros.localization.dense_coordinates import dense_coordinates
from dsm_ros.localization.gate import assess, is_supported
from dsm_ros.localization.keyframe_choice import keyframes_around, keyframes_to_match
from dsm_ros.localization.result import Localized, NotLocalized, Reason, Result, SceneCoordinates
from dsm_ros.localization.sight import Sight
from dsm_ros.localization.stopwatch import Stopwatch
from dsm_ros.localization.surface_completion import complete_surface
from dsm_ros.network.dsm_net import DsmNet
from dsm_ros.network.features import ImageFeatures, Scene, gather_scene
from dsm_ros.network.temporal import PreviousFrame, fuse_previous, scene_weight
from dsm_ros.scene_map.scene_map import SceneMap

NOTHING_RETRIEVED = (Reason.NO_RETRIEVAL, "the map holds no keyframes")


class Localizer:
    """Localizes the images of one video in one map; keeps the previous frame for temporal fusion.

    Not thread-safe: one localizer per video.
    """

    def __init__(self, scene_map: SceneMap, network: DsmNet, config: LocalizerConfig | None = None):
        self.scene_map = scene_map
        self.network = network
        self.config = config or LocalizerConfig()
        self._previous: PreviousFrame | None = None

    def reset(self) -> None:
        """Forget the previous frame: after a jump in time, on another video."""
        self._previous = None

    def localize(
        self, image_HW3: NDArray[np.uint8], camera: Camera, stamp_ns: int, near: Pose44 | None = None
    ) -> Result:
        """Return the pose of an image (uint8 RGB) of a calibrated camera, or why there is none.

        near: where the camera is expected (map_T_camera): it is looked for there first, and where nobody says, at the
        previous frame's pose.
        Raises ValueError when image and camera differ in size.
        """
        watch = Stopwatch()
        sight = self.see(image_HW3, camera, stamp_ns, near, watch)
        if not sight:
            return NotLocalized(*NOTHING_RETRIEVED, times_ms=watch.times())
        attempt, matched = sight.attempt, sight.query.camera
        coordinates = dense_coordinates(attempt, image_HW3, camera, matched)
        support, against = assess([sight], self.config)
        if against or not attempt.pnp:
            reason, detail = against or (Reason.NO_POSE, "no pose")
            return NotLocalized(reason, detail, support, coordinates, watch.times())
        map_T_camera = attempt.pnp.map_T_camera
        self.remember(sight, map_T_camera, stamp_ns)
        errors_N = reprojection_errors(attempt.inlier_pixels_N2, attempt.inlier_points_N3, matched, map_T_camera)
        sigma_px = deviation_px(errors_N, support.seeing_share, self.config)
        covariance_66 = pose_covariance(attempt.inlier_points_N3, matched, map_T_camera, sigma_px)
        surface = self._surface(coordinates, map_T_camera, matched)
        return Localized(map_T_camera, covariance_66, support, surface, watch.times())

    def see(
        self, image_HW3: NDArray[np.uint8], camera: Camera, stamp_ns: int, near: Pose44 | None, watch: Stopwatch
    ) -> Sight | None:
        """Return an image matched against a few keyframes, or else against N [3.1]; None when there are none."""
        query = self.network.encode(image_HW3, camera)
        watch.lap("encode")
        previous = self._recent(stamp_ns)
        expected = previous.map_T_camera if near is None and previous else near
        sight = None
        for keyframe_ids in keyframes_to_match(self.scene_map, query, expected, self.config):
            sight = self._look(query, keyframe_ids, stamp_ns, watch)
            if sight and assess([sight], self.config)[1] is None:
                break
        return sight

    def remember(self, sight: Sight, map_T_camera: Pose44, stamp_ns: int) -> None:
        """Keep an image whose pose was accepted for the fusion with the next one."""
        self._previous = PreviousFrame(sight.query, map_T_camera, stamp_ns)

    def _look(self, query: ImageFeatures, keyframe_ids: Sequence[int], stamp_ns: int, watch: Stopwatch) -> Sight | None:
        """Match an image against some keyframes; None when there are none."""
        keyframes = self.scene_map.features(keyframe_ids)
        watch.lap("retrieve")
        if not keyframes:
            return None
        scene = gather_scene(keyframes)
        attempt = self._match(query, keyframe_ids, scene, stamp_ns, watch)
        return Sight(query, tuple(keyframe_ids), tuple(keyframes), scene, attempt)

    def _match(
        self, query: ImageFeatures, keyframe_ids: Sequence[int], scene: Scene, stamp_ns: int, watch: Stopwatch
    ) -> Attempt:
        """Match alone; then again around the pose found, with the previous frame where that can change the result.

        The map alone must vouch for the second pose as for the first: two neighbouring frames agree with each other
        wherever the previous pose was. So there is nothing to add when the map alone supports no pose.
        """
        single = attempt_pose(self.network, query, scene, self.config, watch)
        if single.pnp is None or not is_supported(single, self.config):
            return single
        map_T_camera = single.pnp.map_T_camera
        keyframes = keyframes_around(self.scene_map, query.camera, map_T_camera, keyframe_ids, self.config)
        watch.lap("retrieve")
        scene = gather_scene(keyframes, scene.map_T_local) if keyframes else scene
        alpha = scene_weight(single.match.certainty)
        previous = self._recent(stamp_ns)
        fused = fuse_previous(scene, previous, alpha) if alpha < 1 and previous else scene
        around = attempt_around(self.network, query, fused, single, self.config, watch)
        return around if is_supported(around, self.config) else single

    def _surface(self, coordinates: SceneCoordinates, map_T_camera: Pose44, matched: Camera) -> SceneCoordinates:
        return complete_surface(coordinates, map_T_camera, matched, self.config.max_error_px)

    def _recent(self, stamp_ns: int) -> PreviousFrame | None:
        """Return the previous frame if it was localized just before this one."""
        previous = self._previous
        if not (self.config.temporal and previous):
            return None
        return previous if previous.is_just_before(stamp_ns, self.config.max_frame_gap_s) else None
