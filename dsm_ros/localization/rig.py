"""Several cameras fixed to each other: every image is matched on its own, then one pose agrees with all of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dsm_ros.geometry.pose import Pose44, invert
from dsm_ros.geometry.rig_pnp import CameraPoints, refine_rig_pose, solve_rig_pnp
from dsm_ros.localization.attempt import at_pose, most_certain, most_certain_cells
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.dense_coordinates import dense_coordinates
from dsm_ros.localization.gate import assess, is_supported
from dsm_ros.localization.localizer import NOTHING_RETRIEVED, Localizer
from dsm_ros.localization.result import Localized, NotLocalized, Reason, Result, SceneCoordinates
from dsm_ros.localization.rig_covariance import moved_covariance, rig_covariance
from dsm_ros.localization.rig_view import View
from dsm_ros.localization.sight import Sight
from dsm_ros.localization.stopwatch import Stopwatch
from dsm_ros.localization.surface_completion import complete_surface
from dsm_ros.network.dsm_net import DsmNet
from dsm_ros.scene_map.scene_map import SceneMap


class RigLocalizer:
    """Localizes a rig in one map; a rig of one camera, or with one image, is localized as that camera alone.

    config: use_config changes it. Not thread-safe.
    """

    def __init__(self, scene_map: SceneMap, network: DsmNet, config: LocalizerConfig | None = None):
        self.config = config or LocalizerConfig()
        self._map, self._network = scene_map, network
        self._localizers: dict[str, Localizer] = {}

    def use_config(self, config: LocalizerConfig) -> None:
        """Change the limits between two images."""
        self.config = config

    def reset(self) -> None:
        """Forget the previous frame of every camera."""
        self._localizers = {}

    def localize(self, views: Sequence[View], stamp_ns: int, near: Pose44 | None = None) -> Result:
        """Return the pose of a rig (``map_T_camera`` of the result is map_T_rig), or why there is none.

        views: images of one moment, at least one; the first one's dense coordinates are returned. near: the expected
        map_T_rig. Raises ValueError as the localizer of one camera does, DsmError where rigs cannot be solved.
        """
        if len(views) == 1:
            return self._localize_one(views[0], stamp_ns, near)
        watch = Stopwatch()
        seen = [(view, sight) for view in views if (sight := self._see(view, stamp_ns, near, watch))]
        if not seen:
            return NotLocalized(*NOTHING_RETRIEVED, times_ms=watch.times())
        map_T_rig = self._solve(seen)
        watch.lap("pnp")
        placed = [self._placed(*pair, map_T_rig) for pair in seen]
        support, against = assess(self._evidence(placed), self.config)
        coordinates = _coordinates(*seen[0])
        if against or map_T_rig is None:
            reason, detail = against or (Reason.NO_POSE, "no pose")
            return NotLocalized(reason, detail, support, coordinates, watch.times())
        for view, sight in seen:
            self._of(view).remember(sight, map_T_rig @ view.rig_T_camera, stamp_ns)
        covariance_66 = rig_covariance(placed, map_T_rig, support.seeing_share, self.config)
        surface = self._surface(coordinates, *seen[0], map_T_rig)
        return Localized(map_T_rig, covariance_66, support, surface, watch.times())

    def _surface(self, coordinates: SceneCoordinates, view: View, sight: Sight, map_T_rig: Pose44) -> SceneCoordinates:
        map_T_camera = map_T_rig @ view.rig_T_camera
        return complete_surface(coordinates, map_T_camera, sight.query.camera, self.config.max_error_px)

    def _localize_one(self, view: View, stamp_ns: int, near: Pose44 | None) -> Result:
        near_camera = None if near is None else near @ view.rig_T_camera
        result = self._of(view).localize(view.image_HW3, view.camera, stamp_ns, near_camera)
        if isinstance(result, NotLocalized):
            return result
        map_T_rig = result.map_T_camera @ invert(view.rig_T_camera)
        covariance_66 = moved_covariance(result.covariance_66, result.map_T_camera, map_T_rig)
        return replace(result, map_T_camera=map_T_rig, covariance_66=covariance_66)

    def _of(self, view: View) -> Localizer:
        """Return the localizer that knows this camera's previous frame."""
        localizer = self._localizers.setdefault(view.name, Localizer(self._map, self._network))
        localizer.config = self.config
        return localizer

    def _see(self, view: View, stamp_ns: int, near: Pose44 | None, watch: Stopwatch) -> Sight | None:
        near_camera = None if near is None else near @ view.rig_T_camera
        return self._of(view).see(view.image_HW3, view.camera, stamp_ns, near_camera, watch)

    def _solve(self, seen: Sequence[tuple[View, Sight]]) -> Pose44 | None:
        """Return the pose that most cells agree with, refined on the better coordinates that cameras found alone."""
        map_T_rig = solve_rig_pnp([_points(*pair) for pair in seen], self.config.max_error_px)
        if map_T_rig is None:
            return None
        around = [self._points_around(*pair) for pair in seen]
        return refine_rig_pose(map_T_rig, around, self.config.max_error_px)

    def _points_around(self, view: View, sight: Sight) -> CameraPoints:
        """Return the most certain cells around the pose that a camera found alone; without one, its first match."""
        if not is_supported(sight.attempt, self.config):
            return _points(view, sight)
        around = most_certain_cells(sight.attempt.match, self.config.pnp_cells_around, sight.query, sight.scene)
        return _points(view, replace(sight, attempt=around))

    def _placed(self, view: View, sight: Sight, map_T_rig: Pose44 | None) -> Sight:
        """Return what a camera saw with the rig's pose in place of its own."""
        if map_T_rig is None:
            return replace(sight, attempt=replace(sight.attempt, pnp=None))
        map_T_camera = map_T_rig @ view.rig_T_camera
        return replace(
            sight, attempt=at_pose(sight.attempt, map_T_camera, sight.query.camera, self.config.max_error_px)
        )

    def _evidence(self, placed: Sequence[Sight]) -> list[Sight]:
        """Return what the pose is judged by: as many cells as for one camera, the most certain of all.

        So the limits mean the same as for one camera, and a covered one, which is sure of nothing, has no say.
        """
        attempts = most_certain([sight.attempt for sight in placed], self.config.pnp_cells)
        return [replace(sight, attempt=attempt) for sight, attempt in zip(placed, attempts, strict=True)]


def _points(view: View, sight: Sight) -> CameraPoints:
    return CameraPoints(sight.attempt.pixels_C2, sight.attempt.points_C3, sight.query.camera, view.rig_T_camera)


def _coordinates(view: View, sight: Sight) -> SceneCoordinates:
    return dense_coordinates(sight.attempt, view.image_HW3, view.camera, sight.query.camera)
