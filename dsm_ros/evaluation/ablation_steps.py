"""Steps of the localizer that do less than the shipped ones, to measure what these are worth."""

from __future__ import annotations

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.matching import MatchedImage, Matcher
from dsm_ros.localization.result import SceneCoordinates
from dsm_ros.localization.stopwatch import Stopwatch
from dsm_ros.network.temporal import PreviousFrame


class FirstMatchOnly(Matcher):
    """A matcher without a guided match."""

    def guided_match(
        self, image: MatchedImage, previous: PreviousFrame | None, config: LocalizerConfig, watch: Stopwatch
    ) -> MatchedImage:
        """Return the image as it was."""
        return image


def leave_as_matched(
    coordinates: SceneCoordinates, map_T_camera: Pose44, matched: Camera, max_error_px: float
) -> SceneCoordinates:
    """Return dense coordinates without completing them."""
    return coordinates
