"""The tracker of one video: searching until the first pose, tracking with every pose, lost without one."""

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
    """What is known of the camera: nothing yet, where it is, or that it is lost."""

    SEARCHING = "searching"
    TRACKING = "tracking"
    LOST = "lost"


class ImageLocalizer(Protocol):
    """What the tracker needs of a localizer, see Localizer."""

    def localize(self, views: Sequence[View], stamp_ns: int, prior: Pose44 | None = None) -> Result: ...

    def reset(self) -> None: ...


def is_jump(last_ns: int, stamp_ns: int, max_pause_s: float) -> bool:
    """Return whether time went back, or on by more than a pause, from one image to the next."""
    return not 0 <= stamp_ns - last_ns <= max_pause_s * 1e9


@dataclass(frozen=True)
class Hint:
    """Where somebody says the camera is, and how far from there it may be."""

    map_T_camera: Pose44
    radius_m: float


@dataclass(frozen=True)
class Contradiction:
    """Why a pose does not fit what is known of the camera: the number that is off, with its limit."""

    reason: Reason
    detail: str


class Tracker:
    """Localizes the images of one video with what is known from the last ones, from odometry and from hints.

    A pose that contradicts motion or hint is held back until a second one confirms it: a kidnapped camera is found
    by its second image, and a single wrong pose never leaves.
    """

    def __init__(self, localizer: ImageLocalizer, config: TrackerConfig | None = None):
        self.config = config or TrackerConfig()
        self.state = State.SEARCHING
        self.hint_report = ""  # why the last hint was dropped; empty when it was not
        self._localizer = localizer
        self.reset()

    def reset(self) -> None:
        """Forget motion, hint and the previous frame: after a jump in time, on another map."""
        self._localizer.reset()
        self._motion = Motion(self.config.max_gap_s)
        self._held: Fix | None = None
        self._hint: Hint | None = None
        self._last_stamp_ns: int | None = None
        self.state = State.SEARCHING

    def lose(self) -> None:
        """Note that the camera is seen no more."""
        if self.state is State.TRACKING:
            self.state = State.LOST

    def hint(self, hint: Hint) -> None:
        """Search around a hint first; it is dropped once a pose agrees or two poses contradict it."""
        self.reset()
        self._hint, self.hint_report = hint, ""

    def refuse_hint(self, report: str) -> None:
        """Note why a hint cannot be used."""
        self.hint_report = report

    def track(self, views: Sequence[View], stamp_ns: int, odom_T_camera: Pose44 | None = None) -> Result:
        """Return the pose of the next image, or of the rig's next images, or why there is none; the state follows.

        odom_T_camera: where odometry sees the camera, or the rig, at that time. Raises ValueError as the localizer
        does.
        """
        if self._jumps_in_time(stamp_ns):
            self.reset()
        self._last_stamp_ns = stamp_ns
        expected = self._motion.predict(stamp_ns, odom_T_camera)
        known = expected or self._hint
        result = self._localizer.localize(views, stamp_ns, known.map_T_camera if known else None)
        if isinstance(result, Localized):
            result = self._checked(result, Fix(stamp_ns, result.map_T_camera, odom_T_camera), expected)
        self._follow(result)
        return result

    def _jumps_in_time(self, stamp_ns: int) -> bool:
        last_ns = self._last_stamp_ns
        return last_ns is not None and is_jump(last_ns, stamp_ns, self.config.max_pause_s)

    def _checked(self, result: Localized, fix: Fix, expected: Prediction | None) -> Result:
        """Hold back a pose that contradicts what is known, unless the one held back before agrees with it."""
        against = self._contradiction(fix.map_T_camera, expected)
        if against and not self._confirmed(fix):
            self._held = fix
            return NotLocalized(against.reason, against.detail, result.support, result.coordinates, result.times_ms)
        if against:
            self._drop_what_is_contradicted(against)
        self._hint = self._held = None
        self._motion.add(fix)
        return result

    def _contradiction(self, map_T_camera: Pose44, expected: Prediction | None) -> Contradiction | None:
        if expected:
            off_m, off_deg = pose_error(map_T_camera, expected.map_T_camera)
            max_m, max_deg = self._limits(expected)
            if off_m > max_m or off_deg > max_deg:
                limits = f"limits {max_m:.2f} m and {max_deg:.0f} degrees"
                detail = f"{off_m:.2f} m and {off_deg:.0f} degrees off the prediction, {limits}"
                return Contradiction(Reason.CONTRADICTS_MOTION, detail)
        elif self._hint:
            off_m, _ = pose_error(map_T_camera, self._hint.map_T_camera)
            if off_m > self._hint.radius_m:
                detail = f"{off_m:.2f} m from the hint, limit {self._hint.radius_m:.1f} m"
                return Contradiction(Reason.CONTRADICTS_HINT, detail)
        return None

    def _limits(self, expected: Prediction) -> tuple[float, float]:
        """Return how far in m and degrees a pose may be from a prediction."""
        config = self.config
        grown_m, grown_deg = config.growth_mps * expected.guessed_s, config.growth_dps * expected.guessed_s
        return config.max_jump_m + grown_m, config.max_jump_deg + grown_deg

    def _confirmed(self, fix: Fix) -> bool:
        """Return whether the pose held back just before says the same, given the time between."""
        held = Motion(self.config.max_gap_s)
        if self._held:
            held.add(self._held)
        expected = held.predict(fix.stamp_ns, fix.odom_T_camera)
        return expected is not None and self._contradiction(fix.map_T_camera, expected) is None

    def _drop_what_is_contradicted(self, against: Contradiction) -> None:
        if self._hint:
            self.hint_report = f"hint ignored: two poses contradict it, the last {against.detail}"
        self._motion = Motion(self.config.max_gap_s)

    def _follow(self, result: Result) -> None:
        if isinstance(result, Localized):
            self.state = State.TRACKING
        else:
            self.lose()
