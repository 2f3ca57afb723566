"""The tracker, which localizes a video with predictions from earlier poses, odometry and hints [method 12]."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from dsm_ros.geometry.pose import Pose44, pose_error
from dsm_ros.localization.config import TrackerConfig
from dsm_ros.localization.motion import Fix, Motion, Prediction
from dsm_ros.localization.result import Localized, NotLocalized, Reason, Result
from dsm_ros.localization.view import View
from dsm_ros.text_enum import TextEnum


class State(TextEnum):
    """The state of the tracker: no pose so far, a pose of the last image, or no pose after earlier ones."""

    SEARCHING = "searching"
    TRACKING = "tracking"
    LOST = "lost"


class ImageLocalizer(Protocol):
    """The methods of a localizer that the tracker calls; see ``Localizer``."""

    def localize(self, views: Sequence[View], stamp_ns: int, prior: Pose44 | None = None) -> Result:
        """Return the pose of a rig, or the reason why there is no pose."""

    def reset(self) -> None:
        """Forget the previous frames."""


def is_jump(last_ns: int, stamp_ns: int, max_pause_s: float) -> bool:
    """Return whether time went backwards, or forwards by more than a pause, from one image to the next."""
    return not 0 <= stamp_ns - last_ns <= max_pause_s * 1e9


@dataclass(frozen=True)
class Hint:
    """An approximate pose from a user, and the maximum distance of the camera from this pose."""

    map_T_camera: Pose44
    radius_m: float


@dataclass(frozen=True)
class Contradiction:
    """The reason why a pose contradicts motion or a hint.

    deviation: distance of the pose from the prediction or hint, with its limit, as the end of a sentence.
    """

    reason: Reason
    deviation: str


class Tracker:
    """Localizes the images of one video, with predictions from earlier poses, odometry and hints.

    A pose that contradicts motion or a hint is held back until the pose of the next image confirms it, so the tracker
    recovers from a kidnapping with the second image. The first pose of a search is not compared with a prediction.
    """

    def __init__(self, localizer: ImageLocalizer, config: TrackerConfig | None = None):
        self.config = config or TrackerConfig()
        self.state = State.SEARCHING
        self.hint_report = ""  # the reason why the last hint was dropped, empty when it was not dropped
        self._localizer = localizer
        self.reset()

    def reset(self) -> None:
        """Forget motion, hint and previous frame, for example after a jump in time or for another map."""
        self._localizer.reset()
        self._motion = Motion(self.config.max_gap_s)
        self._held: Fix | None = None
        self._hint: Hint | None = None
        self._last_stamp_ns: int | None = None
        self.state = self._state_before = State.SEARCHING

    def lose(self) -> None:
        """Change the state from TRACKING to LOST, for example when images stop."""
        if self.state is State.TRACKING:
            self.state = State.LOST

    def reject(self) -> None:
        """Take back that the last image gave a pose, because the caller cannot use the pose."""
        self.state = self._state_before
        self.lose()

    def hint(self, hint: Hint) -> None:
        """Start a search around a hint, until one pose agrees with the hint or two poses contradict the hint."""
        self.reset()
        self._hint, self.hint_report = hint, ""

    def refuse_hint(self, report: str) -> None:
        """Report the reason why a hint cannot be used."""
        self.hint_report = report

    def track(self, views: Sequence[View], stamp_ns: int, odom_T_camera: Pose44 | None = None) -> Result:
        """Return the pose of a camera or a rig from its next images, or the reason why there is no pose.

        odom_T_camera: pose of the camera, or of the rig, in the odometry frame at that stamp. Raises ValueError when an
        image and its camera differ in size.
        """
        if self._jumps_in_time(stamp_ns):
            self.reset()
        self._last_stamp_ns = stamp_ns
        expected = self._motion.predict(stamp_ns, odom_T_camera)
        prior = expected or self._hint
        result = self._localizer.localize(views, stamp_ns, prior.map_T_camera if prior else None)
        if isinstance(result, Localized):
            result = self._checked(result, Fix(stamp_ns, result.map_T_camera, odom_T_camera), expected)
        self._follow(result)
        return result

    def _jumps_in_time(self, stamp_ns: int) -> bool:
        last_ns = self._last_stamp_ns
        return last_ns is not None and is_jump(last_ns, stamp_ns, self.config.max_pause_s)

    def _checked(self, result: Localized, fix: Fix, expected: Prediction | None) -> Result:
        """Return the result, or a rejection if the pose contradicts motion or hint without confirmation."""
        against = self._contradiction(fix.map_T_camera, expected)
        if against and not self._confirmed(fix):
            self._held = fix
            detail = f"the pose is {against.deviation}"
            return NotLocalized(against.reason, detail, result.support, result.coordinates, result.times_ms)
        if against:
            self._drop_contradicted(against)
        self._hint = self._held = None
        self._motion.add(fix)
        return result

    def _contradiction(self, map_T_camera: Pose44, expected: Prediction | None) -> Contradiction | None:
        if expected:
            off_m, off_deg = pose_error(map_T_camera, expected.map_T_camera)
            max_m, max_deg = self._limits(expected)
            if off_m > max_m or off_deg > max_deg:
                limits = f"limits {max_m:.2f} m and {max_deg:.0f} degrees"
                deviation = f"{off_m:.2f} m and {off_deg:.0f} degrees from the prediction, {limits}"
                return Contradiction(Reason.CONTRADICTS_MOTION, deviation)
        elif self._hint:
            off_m, _ = pose_error(map_T_camera, self._hint.map_T_camera)
            if off_m > self._hint.radius_m:
                deviation = f"{off_m:.2f} m from the hint, limit {self._hint.radius_m:.1f} m"
                return Contradiction(Reason.CONTRADICTS_HINT, deviation)
        return None

    def _limits(self, expected: Prediction) -> tuple[float, float]:
        """Return the limits of the distance (m) and rotation (degrees) of a pose from a prediction."""
        config = self.config
        grown_m, grown_deg = config.growth_mps * expected.extrapolated_s, config.growth_dps * expected.extrapolated_s
        return config.max_jump_m + grown_m, config.max_jump_deg + grown_deg

    def _confirmed(self, fix: Fix) -> bool:
        """Return whether the pose that was held back confirms a new pose, given the time between the two poses."""
        if self._held is None or self._held.stamp_ns == fix.stamp_ns:  # an image cannot confirm itself
            return False
        held = Motion(self.config.max_gap_s)
        held.add(self._held)
        expected = held.predict(fix.stamp_ns, fix.odom_T_camera)
        return expected is not None and self._contradiction(fix.map_T_camera, expected) is None

    def _drop_contradicted(self, against: Contradiction) -> None:
        if self._hint:
            self.hint_report = f"hint ignored: two poses contradict the hint, and the last pose is {against.deviation}"
        self._motion = Motion(self.config.max_gap_s)

    def _follow(self, result: Result) -> None:
        self._state_before = self.state
        if isinstance(result, Localized):
            self.state = State.TRACKING
        else:
            self.lose()
