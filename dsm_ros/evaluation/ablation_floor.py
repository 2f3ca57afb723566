"""The method with less done after the first match: what the rest is worth."""

from __future__ import annotations

from collections.abc import Sequence

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44
from dsm_ros.localization.attempt import Attempt, attempt_pose
from dsm_ros.localization.localizer import Localizer
from dsm_ros.localization.result import SceneCoordinates
from dsm_ros.localization.stopwatch import Stopwatch
from dsm_ros.network.features import ImageFeatures, Scene


class NotCompleted(Localizer):
    """A localizer that leaves coordinates as they were matched."""

    def _surface(self, coordinates: SceneCoordinates, map_T_camera: Pose44, matched: Camera) -> SceneCoordinates:
        return coordinates


class FirstMatch(NotCompleted):
    """A localizer that matches once, with nothing around the pose found."""

    def _match(
        self, query: ImageFeatures, keyframe_ids: Sequence[int], scene: Scene, stamp_ns: int, watch: Stopwatch
    ) -> Attempt:
        return attempt_pose(self.network, query, scene, self.config, watch)
