"""Timed poses of one transform: interpolated between two stamps, and held after the last stamp for a limited time."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from math import inf, isfinite
from typing import NamedTuple

from dsm_ros.geometry.pose import Pose44, interpolate, pose_error
from dsm_ros.text_enum import TextEnum

NS_PER_S = 1_000_000_000


class Absence(TextEnum):
    """The kinds of reasons for a missing pose."""

    UNKNOWN_FRAME = "unknown frame"
    NOT_CONNECTED = "not connected"
    BEFORE_FIRST = "before the first"
    AFTER_LAST = "after the last"
    GAP = "gap"
    LOST = "lost"


@dataclass(frozen=True)
class Missing:
    """The reason why a pose is missing.

    where: the transform ("odom -> base"), or the frames that are unknown or not connected; the same for all stamps.
    reason: one sentence without a full stop, with the numbers of the requested stamp.
    """

    why: Absence
    where: str
    reason: str


@dataclass(frozen=True)
class Bridge:
    """Inclusive limits, in time, distance and angle, of a gap between two poses that is interpolated."""

    max_gap_ns: float = inf
    max_move_m: float = inf
    max_turn_deg: float = inf


@dataclass(frozen=True)
class Timing:
    """Limits on interpolating, holding and keeping timed poses.

    bridges: a gap is interpolated when at least one bridge allows the gap. hold_ns: the time for which the last pose
    holds after its stamp; the first pose never holds before its stamp. history_ns: poses that are older than the newest
    pose by more than history_ns are dropped, and an insertion further back than history_ns restarts the trajectory.
    """

    bridges: tuple[Bridge, ...] = (Bridge(),)
    hold_ns: int = 0
    history_ns: float = inf


class _Gap(NamedTuple):
    length_ns: int
    move_m: float
    turn_deg: float

    def __str__(self) -> str:
        return f"{self.length_ns / NS_PER_S:.3f} s, {self.move_m:.3f} m and {self.turn_deg:.1f} degrees"

    def is_within(self, bridge: Bridge) -> bool:
        limits = (bridge.max_gap_ns, bridge.max_move_m, bridge.max_turn_deg)
        return all(value <= limit for value, limit in zip(self, limits, strict=True))


class Trajectory:
    """The timed poses of one transform; a lookup costs O(log n), as does an insertion in order of time."""

    def __init__(self, timing: Timing = Timing(), name: str = "the trajectory"):
        self.timing, self.name = timing, name
        self._stamps_ns: list[int] = []
        self._poses: list[Pose44 | None] = []

    def insert(self, stamp_ns: int, pose: Pose44 | None) -> None:
        """Add a pose (4x4) at a stamp, or None where tracking was lost; a second pose of one stamp replaces the first.

        Stamps may come in any order. No pose is interpolated or held across a loss, and a pose that is not finite
        counts as a loss.
        """
        pose = pose if pose is not None and is_finite(pose) else None
        if self._stamps_ns and self._stamps_ns[-1] - stamp_ns > self.timing.history_ns:
            self._stamps_ns, self._poses = [], []  # the clock was reset, as by a looped bag or a new simulation
        index = bisect_left(self._stamps_ns, stamp_ns)
        if index < len(self._stamps_ns) and self._stamps_ns[index] == stamp_ns:
            self._poses[index] = pose
            return
        self._stamps_ns.insert(index, stamp_ns)
        self._poses.insert(index, pose)
        self._drop_old()

    def at(self, stamp_ns: int) -> Pose44 | Missing:
        """Return the pose at a stamp (inserted, interpolated, or held after the last pose), or why it is missing."""
        after = bisect_left(self._stamps_ns, stamp_ns)
        if after < len(self._stamps_ns) and self._stamps_ns[after] == stamp_ns:
            pose = self._poses[after]
            return self._lost(after, stamp_ns) if pose is None else pose
        if after == 0:
            return self._before_first(stamp_ns)
        if (start := self._poses[after - 1]) is None:
            return self._lost(after - 1, stamp_ns)
        if after == len(self._poses) or (stop := self._poses[after]) is None:
            return self._after_last(start, after, stamp_ns)
        return self._between(start, stop, after, stamp_ns)

    @property
    def stamps_ns(self) -> list[int]:
        """The stamps of the poses in rising order, without the stamps of losses; a new list at each call, O(n)."""
        return [stamp_ns for stamp_ns, pose in zip(self._stamps_ns, self._poses, strict=True) if pose is not None]

    @property
    def newest_ns(self) -> int | None:
        """The stamp of the last pose; None when there is no pose."""
        backwards = zip(reversed(self._stamps_ns), reversed(self._poses), strict=True)
        return next((stamp_ns for stamp_ns, pose in backwards if pose is not None), None)

    def __len__(self) -> int:
        return sum(pose is not None for pose in self._poses)

    def _drop_old(self) -> None:
        old, newest_ns = 0, self._stamps_ns[-1]
        while newest_ns - self._stamps_ns[old] > self.timing.history_ns:
            old += 1
        del self._stamps_ns[:old], self._poses[:old]

    def _between(self, start: Pose44, stop: Pose44, after: int, stamp_ns: int) -> Pose44 | Missing:
        start_ns, stop_ns = self._stamps_ns[after - 1], self._stamps_ns[after]
        gap = _Gap(stop_ns - start_ns, *pose_error(start, stop))
        if not any(gap.is_within(bridge) for bridge in self.timing.bridges):
            return self._missing(Absence.GAP, f"has a gap of {gap} around the requested time")
        return interpolate(start, stop, (stamp_ns - start_ns) / gap.length_ns)

    def _before_first(self, stamp_ns: int) -> Missing:
        first_ns = next(iter(self.stamps_ns), None)
        if first_ns is None:
            return self._missing(Absence.BEFORE_FIRST, "has no pose")
        return self._missing(Absence.BEFORE_FIRST, f"begins {_seconds(first_ns - stamp_ns)} s after the requested time")

    def _after_last(self, last: Pose44, after: int, stamp_ns: int) -> Pose44 | Missing:
        """Return the pose at a stamp after the last pose, or after the last pose before a loss."""
        passed_ns = stamp_ns - self._stamps_ns[after - 1]
        if passed_ns <= self.timing.hold_ns:
            return last
        if after < len(self._poses):
            return self._lost(after, stamp_ns)
        return self._missing(Absence.AFTER_LAST, f"ends {_seconds(passed_ns)} s before the requested time")

    def _lost(self, index: int, stamp_ns: int) -> Missing:
        ahead_ns = self._stamps_ns[index] - stamp_ns
        side = "after" if ahead_ns > 0 else "before"
        when = f"{_seconds(abs(ahead_ns))} s {side} the requested time" if ahead_ns else "at the requested time"
        return self._missing(Absence.LOST, f"is lost {when}")

    def _missing(self, why: Absence, predicate: str) -> Missing:
        return Missing(why, self.name, f"{self.name} {predicate}")


def is_finite(pose: Pose44) -> bool:
    """Return whether all numbers of a pose are finite."""
    return all(map(isfinite, pose.flat))  # twice as fast as numpy on 16 numbers


def _seconds(duration_ns: int) -> str:
    return f"{duration_ns / NS_PER_S:.3f}"
