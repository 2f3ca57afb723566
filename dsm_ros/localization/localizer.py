"""The localizer, which finds the pose of a camera or a rig in a map, from images of one moment [paper 3]."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch

from dsm_ros.geometry.pose import Pose44
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.matching import MatchedImage, Matcher, SearchArea, keyframes_around, search_areas
from dsm_ros.localization.pose_estimation import (
    PoseEstimate,
    estimate_pose,
    estimate_rig_pose,
    is_inside_search,
    reestimate_pose,
    refine_estimate,
)
from dsm_ros.localization.refinement import Refiner, at_refined_pose, views_to_refine_on
from dsm_ros.localization.result import Localized, NotLocalized, Reason, Result, SceneCoordinates
from dsm_ros.localization.scene_coordinates import scene_coordinates
from dsm_ros.localization.stopwatch import Stopwatch
from dsm_ros.localization.verification import Accepted, Rejected, Verdict, check, verify
from dsm_ros.localization.view import View, encode
from dsm_ros.network.dsm_net import DsmNet
from dsm_ros.network.features import ImageFeatures
from dsm_ros.network.temporal import PreviousFrame, is_just_before
from dsm_ros.scene_map.scene_map import SceneMap

CoordinatesOf = Callable[[MatchedImage, Pose44 | None, float], SceneCoordinates]


class Localizer:
    """Localizer of the images of one video in one map; a single camera is a rig of one camera.

    The localizer keeps the previous frame of each camera for temporal fusion [paper 3.3.1]. Each video therefore needs
    a separate localizer, and only ``encode_ahead`` may be called from another thread. matcher, refiner, coordinates_of:
    replacements of the default matching, of the default refinement of poses and of the default dense coordinates.
    """

    def __init__(
        self,
        scene_map: SceneMap,
        network: DsmNet,
        config: LocalizerConfig | None = None,
        matcher: Matcher | None = None,
        refiner: Refiner | None = None,
        coordinates_of: CoordinatesOf = scene_coordinates,
    ):
        self._scene_map, self._network = scene_map, network
        self._config = config or LocalizerConfig()
        self._matcher = matcher or Matcher(network)
        self._refiner = refiner or Refiner(scene_map)
        self._coordinates_of = coordinates_of
        self._previous: dict[str, PreviousFrame] = {}
        self._rejected_ns: int | None = None  # timestamp of the last images, if their pose was rejected

    @property
    def scene_map(self) -> SceneMap:
        """The map in which images are localized."""
        return self._scene_map

    @property
    def network(self) -> DsmNet:
        """The network that encodes and matches images."""
        return self._network

    @property
    def config(self) -> LocalizerConfig:
        """The configuration in use."""
        return self._config

    def use_config(self, config: LocalizerConfig) -> None:
        """Use another configuration for the next images."""
        self._config = config

    def reset(self) -> None:
        """Forget the previous frames after a jump in time or before another video."""
        self._previous, self._rejected_ns = {}, None

    def encode_ahead(self, views: Sequence[View]) -> list[View]:
        """Return views with their features, while another thread may localize the images before.

        On a GPU, the views do not change, because encoding takes little time there and CUDA graphs are recorded in one
        thread. Raises ValueError when an image and its camera differ in size.
        """
        if self.network.device.type != "cpu":
            return list(views)
        return [replace(view, encoded=encode(view, self.network)) for view in views]

    @torch.inference_mode()
    def localize(self, views: Sequence[View], stamp_ns: int, prior: Pose44 | None = None) -> Result:
        """Return the pose of a rig (``map_T_camera`` of the result is map_T_rig), or why there is no pose.

        views: at least one image of one moment, uint8 RGB of calibrated cameras; the result has the dense coordinates
        of the first view. prior: the expected map_T_rig; without a prior, each camera is expected at the pose of its
        previous frame. Raises ValueError when an image and its camera differ in size, DsmError for several views
        without PoseLib.
        """
        watch = Stopwatch()
        verdict = self.find_pose(views, stamp_ns, prior, watch)
        if verdict is None:
            return NotLocalized(Reason.NO_RETRIEVAL, "the map contains no keyframes", times_ms=watch.times())
        first = verdict.estimates[0]
        if isinstance(verdict, Rejected):
            coordinates = self._coordinates_of(first.image, None, self.config.max_error_px)
            return NotLocalized(verdict.reason, verdict.detail, verdict.support, coordinates, watch.times())
        self._remember(verdict, stamp_ns)
        coordinates = self._coordinates_of(first.image, first.map_T_camera, self.config.max_error_px)
        return Localized(verdict.map_T_rig, verdict.covariance_66, verdict.support, coordinates, watch.times())

    @torch.inference_mode()
    def find_pose(
        self, views: Sequence[View], stamp_ns: int, prior: Pose44 | None = None, watch: Stopwatch | None = None
    ) -> Verdict | None:
        """Return the verdict on the pose of a rig (see ``localize``), None when the map contains no keyframes.

        All images are matched against a few keyframes, first around their expected poses where there are expected
        poses, and only if the resulting pose is rejected or far from the expected pose, against the N most similar
        keyframes [paper 3.1]. watch: measures the stages.
        """
        watch = watch or Stopwatch()
        searches = [self._search(view, stamp_ns, prior, watch) for view in views]
        verdict = None
        for attempt in range(max(len(search.areas) for search in searches)):
            estimates = [found for search in searches if (found := self._estimate(search, attempt, watch))]
            if not estimates:
                return None
            verdict = self._verified(estimates)
            watch.lap("pnp")
            if isinstance(verdict, Accepted) and all(map(is_inside_search, verdict.estimates)):
                break
        self._rejected_ns = stamp_ns if isinstance(verdict, Rejected) else None
        return verdict

    def _search(self, view: View, stamp_ns: int, prior: Pose44 | None, watch: Stopwatch) -> Search:
        """Encode an image and choose the keyframes to match it against."""
        query = self._encode(view, watch)
        previous = self._recent(view, stamp_ns)
        expected = None if prior is None else prior @ view.rig_T_camera
        if expected is None and previous:
            expected = previous.map_T_camera
        after_rejected = self._is_recent(self._rejected_ns, stamp_ns)
        areas = search_areas(self.scene_map, query, expected, after_rejected, self.config)
        watch.lap("retrieve")
        return Search(view, query, previous, areas)

    def _encode(self, view: View, watch: Stopwatch) -> ImageFeatures:
        """Return the features of an image, which is encoded unless this network encoded it before."""
        if view.encoded and view.encoded.network is self.network:
            watch.add("encode", view.encoded.ms)
            return view.encoded.features
        features = self.network.encode(view.image_HW3, view.camera)
        watch.lap("encode")
        return features

    def _estimate(self, search: Search, attempt: int, watch: Stopwatch) -> PoseEstimate | None:
        """Return the pose estimate of one image in a search area, None when the map contains no keyframes."""
        area = search.areas[min(attempt, len(search.areas) - 1)]
        keyframes = self.scene_map.features(area.keyframe_ids)
        watch.lap("retrieve")
        if not keyframes:
            return None
        image = self._matcher.first_match(search.view, search.query, area, keyframes)
        watch.lap("match")
        first = estimate_pose(image, self.config)
        watch.lap("pnp")
        return self._guided(first, search.previous, watch)

    def _guided(self, first: PoseEstimate, previous: PreviousFrame | None, watch: Stopwatch) -> PoseEstimate:
        """Return the estimate after a guided match, or the refined first estimate if either has too few inliers.

        A confident first match needs no guided match, because few of its cells matched a wrong place.
        The correspondences of the map alone must support both poses, because two consecutive frames agree with each
        other even if the pose of the previous frame is wrong.
        """
        image, map_T_camera = first.image, first.map_T_camera
        if map_T_camera is None or not first.is_supported or self._is_confident(image):
            return refine_estimate(first, self.config)
        keyframes = keyframes_around(self.scene_map, image, map_T_camera, self.config)
        watch.lap("retrieve")
        guided = self._matcher.guided_match(image, map_T_camera, keyframes, previous)
        watch.lap("match")
        second = reestimate_pose(first, guided, self.config)
        watch.lap("pnp")
        return second if second.is_supported else refine_estimate(first, self.config)

    def _is_confident(self, image: MatchedImage) -> bool:
        return image.match.confidence >= self.config.guided_confidence

    def _verified(self, estimates: Sequence[PoseEstimate]) -> Verdict:
        """Return the verdict on the one pose that most cells of all images agree with, after its refinement."""
        together = estimate_rig_pose(estimates, self.config) if len(estimates) > 1 else estimates
        pose = check(together, self.config)
        if isinstance(pose, Rejected):
            return pose
        refinement = self._refiner.refine(views_to_refine_on(estimates, together), pose.map_T_rig)
        if refinement:
            pose = at_refined_pose(pose, refinement, self.config)
        return verify(pose, self.config)

    def _remember(self, accepted: Accepted, stamp_ns: int) -> None:
        """Keep the images of an accepted pose for fusion with the next images."""
        for estimate in accepted.estimates:
            view, query = estimate.image.view, estimate.image.query
            self._previous[view.name] = PreviousFrame(query, accepted.map_T_rig @ view.rig_T_camera, stamp_ns)

    def _recent(self, view: View, stamp_ns: int) -> PreviousFrame | None:
        """Return the previous frame of a camera if that frame was localized just before the present image."""
        previous = self._previous.get(view.name)
        return previous if previous and self._is_recent(previous.stamp_ns, stamp_ns) else None

    def _is_recent(self, previous_ns: int | None, stamp_ns: int) -> bool:
        """Return whether an earlier image of a camera was taken just before the present image of the same video."""
        if previous_ns is None or not self.config.temporal:
            return False
        return is_just_before(previous_ns, stamp_ns, self.config.max_frame_gap_s)


@dataclass(frozen=True)
class Search:
    """An encoded image, the previous frame of its camera, and the areas in which the image is matched in turn."""

    view: View
    query: ImageFeatures
    previous: PreviousFrame | None
    areas: list[SearchArea]
