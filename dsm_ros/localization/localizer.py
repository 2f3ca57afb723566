"""The localizer: images of one moment in, the pose of their camera or rig in the map out, or a reason [paper 3]."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.covariance import pose_covariance
from dsm_ros.localization.keyframe_selection import keyframes_to_match
from dsm_ros.localization.matching import MatchedImage, Matcher
from dsm_ros.localization.pose_estimation import estimate_at, estimate_rig_pose
from dsm_ros.localization.result import Localized, NotLocalized, Reason, Result, SceneCoordinates
from dsm_ros.localization.scene_coordinates import complete_surface, scene_coordinates
from dsm_ros.localization.stopwatch import Stopwatch
from dsm_ros.localization.verification import Accepted, Rejected, Verdict, verify
from dsm_ros.localization.view import View
from dsm_ros.network.dsm_net import DsmNet
from dsm_ros.network.temporal import PreviousFrame
from dsm_ros.scene_map.scene_map import SceneMap

Complete = Callable[[SceneCoordinates, Pose44, Camera, float], SceneCoordinates]


@dataclass(frozen=True)
class Matched:
    """The images of a moment with one pose estimate, and the verdict on it."""

    images: tuple[MatchedImage, ...]
    verdict: Verdict


class Localizer:
    """Localizes the images of one video in one map; one camera is a rig of one.

    It keeps the previous frame of each camera for temporal fusion [3.3.1]: one localizer per video, not thread-safe.
    matcher, complete: steps that may be replaced, the matches and the completion of the dense coordinates.
    """

    def __init__(
        self,
        scene_map: SceneMap,
        network: DsmNet,
        config: LocalizerConfig | None = None,
        matcher: Matcher | None = None,
        complete: Complete = complete_surface,
    ):
        self._scene_map, self._network = scene_map, network
        self._config = config or LocalizerConfig()
        self._matcher = matcher or Matcher(scene_map, network)
        self._complete = complete
        self._previous: dict[str, PreviousFrame] = {}

    @property
    def scene_map(self) -> SceneMap:
        """The map."""
        return self._scene_map

    @property
    def network(self) -> DsmNet:
        """The network that encodes and matches."""
        return self._network

    @property
    def config(self) -> LocalizerConfig:
        """The configuration in use."""
        return self._config

    def use_config(self, config: LocalizerConfig) -> None:
        """Use another configuration from the next image on."""
        self._config = config

    def reset(self) -> None:
        """Forget the previous frames: after a jump in time, on another video."""
        self._previous = {}

    def localize(self, views: Sequence[View], stamp_ns: int, prior: Pose44 | None = None) -> Result:
        """Return the pose of a rig (``map_T_camera`` of the result is map_T_rig), or why there is none.

        views: images of one moment, at least one, uint8 RGB of calibrated cameras; the first one's dense coordinates
        are returned. prior: the expected map_T_rig; without one, each camera is expected at its previous frame.
        Raises ValueError when an image and its camera differ in size, DsmError for several views without PoseLib.
        """
        watch = Stopwatch()
        each = [found for view in views if (found := self.match(view, stamp_ns, prior, watch))]
        if not each:
            return NotLocalized(Reason.NO_RETRIEVAL, "the map holds no keyframes", times_ms=watch.times())
        matched = each[0] if len(each) == 1 else self._agree([one.images[0] for one in each], watch)
        first, verdict = matched.images[0], matched.verdict
        coordinates = scene_coordinates(first)
        if isinstance(verdict, Rejected):
            return NotLocalized(verdict.reason, verdict.detail, verdict.support, coordinates, watch.times())
        map_T_rig, support = verdict.map_T_rig, verdict.support
        self._remember(matched.images, map_T_rig, stamp_ns)
        covariance_66 = pose_covariance(matched.images, map_T_rig, support.visible_inlier_ratio, self.config)
        map_T_first = map_T_rig @ first.view.rig_T_camera
        completed = self._complete(coordinates, map_T_first, first.query.camera, self.config.max_error_px)
        return Localized(map_T_rig, covariance_66, support, completed, watch.times())

    def match(self, view: View, stamp_ns: int, prior: Pose44 | None, watch: Stopwatch) -> Matched | None:
        """Return an image matched against a few keyframes, or else against N [3.1], None when there are none.

        Each time: first match, pose estimate, guided match, pose estimate, verification.
        """
        query = self.network.encode(view.image_HW3, view.camera)
        watch.lap("encode")
        previous = self._recent(view, stamp_ns)
        expected = None if prior is None else prior @ view.rig_T_camera
        if expected is None and previous:
            expected = previous.map_T_camera
        found = None
        for keyframe_ids in keyframes_to_match(self.scene_map, query, expected, self.config):
            first = self._matcher.first_match(view, query, keyframe_ids, self.config, watch)
            if first is None:
                return None
            image = self._matcher.guided_match(first, previous, self.config, watch)
            found = Matched((image,), verify([image], self.config))
            if isinstance(found.verdict, Accepted):
                break
        return found

    def _agree(self, images: Sequence[MatchedImage], watch: Stopwatch) -> Matched:
        """Return the images of a rig with the one pose that all agree on, and the verdict on it."""
        config = self.config
        first = [image.estimate.correspondences for image in images]
        guided = [
            image.correspondences(config.guided_pnp_cells) if image.estimate.is_supported(config) else of_first
            for image, of_first in zip(images, first, strict=True)
        ]
        map_T_rig = estimate_rig_pose(first, guided, config)
        placed = tuple(
            replace(image, estimate=estimate_at(image.estimate.correspondences, map_T_rig, config)) for image in images
        )
        watch.lap("pnp")
        return Matched(placed, verify(placed, config))

    def _remember(self, images: Sequence[MatchedImage], map_T_rig: Pose44, stamp_ns: int) -> None:
        """Keep the images of an accepted pose for the fusion with the next ones."""
        for image in images:
            map_T_camera = map_T_rig @ image.view.rig_T_camera
            self._previous[image.view.name] = PreviousFrame(image.query, map_T_camera, stamp_ns)

    def _recent(self, view: View, stamp_ns: int) -> PreviousFrame | None:
        """Return the previous frame of a camera if it was localized just before this one."""
        previous = self._previous.get(view.name)
        if not (self.config.temporal and previous):
            return None
        return previous if previous.is_just_before(stamp_ns, self.config.max_frame_gap_s) else None
