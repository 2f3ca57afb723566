"""One link of a bag's transform tree, with the interpolation of its poses and the contradictions among them."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby, pairwise

import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.pose import Pose44, pose_error
from dsm_ros.geometry.trajectory import NS_PER_S, Bridge, Timing

# A link that moves with the robot is interpolated over gaps of 0.2 s, of 1 s while it hardly moves, and of 10 s while
# it stands still.
MOTION = Timing((Bridge(NS_PER_S // 5), Bridge(NS_PER_S, 0.05, 3.0), Bridge(10 * NS_PER_S, 0.001, 0.1)))
# A correction such as map -> odom changes slowly. It is interpolated over gaps of 2 s unless it jumps, and over any gap
# in which it hardly changes. Its last message is valid for another 0.25 s.
CORRECTION = Timing((Bridge(2 * NS_PER_S, 0.5, 10.0), Bridge(max_move_m=0.1, max_turn_deg=2.0)), hold_ns=NS_PER_S // 4)
JUMP_M, JUMP_DEG, JUMP_M_PER_S, JUMP_DEG_PER_S = 0.3, 5.0, 0.3, 10.0  # limits above the drift of any odometry

# When two sources disagree, most of their messages move the link back and forth; a noisy localizer rarely does.
SWING_M, SWING_DEG, SWING_S = 0.05, 5.0, 0.25
WINDOW, MIN_SWINGS, SWINGING_SHARE = 20, 3, 0.25


def is_correction(parent: str, child: str) -> bool:
    """Return whether a link corrects drift, such as map -> odom; all other links move with the robot."""
    last = child.rpartition("/")[2].lower()
    return last == "map" or ("odom" in last and "odom" not in parent.rpartition("/")[2].lower())


def timing_of(parent: str, child: str) -> Timing:
    """Return the limits for interpolating the poses of a timed link."""
    return CORRECTION if is_correction(parent, child) else MOTION


@dataclass
class Link:
    """The messages of one link: its static pose, and its poses by stamp, None when tracking was lost."""

    static: Pose44 | None = None
    timed: dict[int, Pose44 | None] = field(default_factory=dict)
    contradictions: int = 0  # messages that contradict another message with the same stamp
    delays_ns: array[int] = field(default_factory=lambda: array("q"))  # delays from stamp to recording

    def add_static(self, pose: Pose44 | None) -> None:
        """Set the static pose of the link."""
        self.contradictions += MIN_SWINGS * differ(self.static, pose)
        self.static = pose

    def add(self, stamp_ns: int, pose: Pose44 | None) -> None:
        """Set the pose of the link at a stamp."""
        self.contradictions += differ(self.timed.get(stamp_ns), pose)
        self.timed[stamp_ns] = pose

    def poses(self, is_correction: bool) -> Iterator[tuple[int, Pose44 | None]]:
        """Yield the timed poses ordered by stamp, None when tracking was lost or a correction is not usable."""
        kept = longest_without_jump(self.timed) if is_correction else lost_at_identity(self.timed)
        for stamp_ns in sorted(kept):
            yield stamp_ns, kept[stamp_ns]

    def jumps(self) -> list[str]:
        """Return a text for each jump of the pose."""
        known = _known(self.timed)
        jumps = [(b_ns, *pose_error(a, b)) for (a_ns, a), (b_ns, b) in pairwise(known) if _jumped(a, b, b_ns - a_ns)]
        return [f"jumps by {m:.2f} m and {deg:.0f} degrees at {ns / NS_PER_S:.2f} s" for ns, m, deg in jumps]

    @property
    def has_two_sources(self) -> bool:
        """Whether static and timed messages, or messages with nearly the same stamp, disagree about the pose."""
        if self.static is not None and any(differ(self.static, pose) for pose in self.timed.values()):
            return True
        return self.contradictions >= max(MIN_SWINGS, SWINGING_SHARE * len(self.timed)) or swings(self.timed)


def differ(one: Pose44 | None, other: Pose44 | None) -> bool:
    """Return whether two poses that should be equal differ; False when either is None."""
    if one is None or other is None:
        return False
    moved_m, turned_deg = pose_error(one, other)
    return moved_m > SWING_M or turned_deg > SWING_DEG


def lost_at_identity(timed: dict[int, Pose44 | None]) -> dict[int, Pose44 | None]:
    """Return the poses of a moving link with None where it jumps to the identity, as some trackers do when lost."""
    known = _known(timed)
    at_identity_N = [bool(np.array_equal(pose, np.eye(4))) for _, pose in known]
    if not any(at_identity_N) or all(at_identity_N):
        return timed
    lost: dict[int, Pose44 | None] = {}
    for is_identity, run in groupby(range(len(known)), key=at_identity_N.__getitem__):
        indices = list(run)
        neighbours = [known[i][1] for i in (indices[0] - 1, indices[-1] + 1) if 0 <= i < len(known)]
        if is_identity and any(_jumped(np.eye(4), pose, 0) for pose in neighbours):
            lost |= {known[i][0]: None for i in indices}
    return {**timed, **lost}


def longest_without_jump(timed: dict[int, Pose44 | None]) -> dict[int, Pose44 | None]:
    """Return the poses of a correction with None outside its longest part without a jump.

    Frames before and after a jump of the correction do not fit together.
    """
    known = _known(timed)
    if not known:
        return timed
    starts = [i for i, ((a_ns, a), (b_ns, b)) in enumerate(pairwise(known), 1) if _jumped(a, b, b_ns - a_ns)]
    parts = [known[start:stop] for start, stop in pairwise([0, *starts, len(known)])]
    longest = max(parts, key=lambda part: part[-1][0] - part[0][0])
    return {**dict.fromkeys(timed, None), **dict(longest)}


def _jumped(one: Pose44, other: Pose44, passed_ns: int) -> bool:
    moved_m, turned_deg = pose_error(one, other)
    most_m, most_deg = (speed * passed_ns / NS_PER_S for speed in (JUMP_M_PER_S, JUMP_DEG_PER_S))
    return moved_m > max(JUMP_M, most_m) or turned_deg > max(JUMP_DEG, most_deg)


def swings(timed: dict[int, Pose44 | None]) -> bool:
    """Return whether a link moves back and forth continually, because two sources send it alternately."""
    known = _known(timed)
    if len(known) < 3:
        return False
    stamps_ns, poses_N44 = np.array([stamp_ns for stamp_ns, _ in known]), np.array([pose for _, pose in known])
    brief_N = stamps_ns[2:] - stamps_ns[:-2] < SWING_S * NS_PER_S
    (away_m, away_deg), (back_m, back_deg) = _moved(poses_N44, 1), _moved(poses_N44, 2)
    goes_N = (away_m[:-1] > SWING_M) & (back_m < 0.3 * away_m[:-1])
    turns_N = (away_deg[:-1] > SWING_DEG) & (back_deg < 0.3 * away_deg[:-1])
    swing_N = (goes_N | turns_N) & brief_N
    window = min(WINDOW, len(swing_N))
    most = int(np.convolve(swing_N.astype(int), np.ones(window, int), "valid").max())
    return most >= max(MIN_SWINGS, SWINGING_SHARE * window)


def _moved(poses_N44: NDArray[np.float64], steps: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the distance (m, degrees) from each pose to the pose ``steps`` later."""
    one_M44, other_M44 = poses_N44[:-steps], poses_N44[steps:]
    moved_M = np.linalg.norm(other_M44[:, :3, 3] - one_M44[:, :3, 3], axis=1)
    cosine_M = (np.einsum("mij,mij->m", one_M44[:, :3, :3], other_M44[:, :3, :3]) - 1) / 2
    return moved_M, np.degrees(np.arccos(np.clip(cosine_M, -1, 1)))


def _known(timed: dict[int, Pose44 | None]) -> list[tuple[int, Pose44]]:
    ordered = sorted(timed.items(), key=lambda item: item[0])
    return [(stamp_ns, pose) for stamp_ns, pose in ordered if pose is not None]
