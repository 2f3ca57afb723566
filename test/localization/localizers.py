"""Localizers for tests, and a matcher that records the expected poses and the previous frames that it gets."""

from dataclasses import replace

import pytest

from dsm_ros.geometry.pnp import poselib
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.localizer import Localizer
from dsm_ros.localization.matching import Matcher
from dsm_ros.scene_map.scene_map import SceneMap

ALWAYS_GUIDED = LocalizerConfig(guided_confidence=2.0)  # a guided match however confident the first match is
needs_poselib = pytest.mark.skipif(poselib is None, reason="PoseLib has no wheel for this machine")


def localizer_on(uri, network, **changes):
    """A localizer on a map, whose configuration differs from the defaults by the given changes."""
    return Localizer(SceneMap.open(uri, network.model_hash), network, replace(LocalizerConfig(), **changes))


class Recorder(Matcher):
    """Matches as ever, and lists the expected pose of each first match and the previous frame of each guided match."""

    def __init__(self, network):
        super().__init__(network)
        self.expected = []
        self.previous = []

    def first_match(self, view, query, area, keyframes):
        self.expected.append(area.map_T_expected)
        return super().first_match(view, query, area, keyframes)

    def guided_match(self, image, map_T_camera, keyframes, previous):
        self.previous.append(previous)
        return super().guided_match(image, map_T_camera, keyframes, previous)
