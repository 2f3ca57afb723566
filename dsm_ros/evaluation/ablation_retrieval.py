"""Alternative choices of keyframes: a lower retrieval rank, and the keyframes nearest to the true pose."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from torch import Tensor

from dsm_ros.datasets.frame import Frame
from dsm_ros.geometry.pose import Pose44
from dsm_ros.localization.localizer import Localizer
from dsm_ros.localization.result import Result
from dsm_ros.localization.view import View
from dsm_ros.scene_map.scene_map import SceneMap


class LaterKeyframes(SceneMap):
    """A map whose retrieval skips the ``skipped`` most similar keyframes."""

    def __init__(self, scene_map: SceneMap, skipped: int):
        super().__init__(scene_map.store, scene_map.model_hash, str(scene_map.device))
        self._skipped = skipped

    def retrieve(self, descriptor_D: Tensor, count: int) -> list[int]:
        """Return the ids of the next most similar keyframes."""
        return super().retrieve(descriptor_D, self._skipped + count)[self._skipped :]


class NearTruePose(Localizer):
    """A localizer that matches only the ``count`` keyframes nearest to the true pose of each frame."""

    def __init__(self, localizer: Localizer, count: int, frames: Iterable[Frame]):
        no_similar = LaterKeyframes(localizer.scene_map, len(localizer.scene_map.ids))
        config = replace(localizer.config.with_keyframes(count), near_keyframes=count)
        super().__init__(no_similar, localizer.network, config)
        self._truths = {frame.stamp_ns: frame.map_T_camera for frame in frames}

    def localize(self, views: Sequence[View], stamp_ns: int, prior: Pose44 | None = None) -> Result:
        """Return the result for one of the frames; the true pose replaces ``prior``."""
        return super().localize(views, stamp_ns, self._truths[stamp_ns])
