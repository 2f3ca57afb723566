"""What is known of one image once it was matched."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dsm_ros.localization.attempt import Attempt
from dsm_ros.localization.evidence import Evidence
from dsm_ros.localization.visibility import seeing_cells
from dsm_ros.network.features import ImageFeatures, KeyframeFeatures, Scene


@dataclass(frozen=True)
class Sight:
    """An image matched against the keyframes retrieved for it, best first; scene is made of them alone."""

    query: ImageFeatures
    keyframe_ids: tuple[int, ...]
    keyframes: tuple[KeyframeFeatures, ...]
    scene: Scene
    attempt: Attempt

    @cached_property
    def evidence(self) -> Evidence:
        """What speaks for the pose and against it; counted once, for what is expected is judged before it is used."""
        cells = len(self.attempt.points_C3)
        if (pnp := self.attempt.pnp) is None:
            return Evidence(cells)
        seeing_C = seeing_cells(self.attempt.pixels_C2, self.scene, self.query.camera, pnp.map_T_camera)
        agreeing = int(np.count_nonzero(pnp.inliers_N & seeing_C))
        return Evidence(cells, int(pnp.inliers_N.sum()), int(seeing_C.sum()), agreeing)
