"""The tree of coordinate frames: static and timed transforms, and the pose between any two frames at a stamp."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from dsm_ros.geometry.pose import Pose44, invert
from dsm_ros.geometry.trajectory import Absence, Missing, Timing, Trajectory, is_finite

NAMED_FRAMES = 12


@dataclass(frozen=True)
class _Fixed:
    """A static transform: one pose for all times, or None when an invalid pose was sent."""

    name: str
    pose: Pose44 | None
    newest_ns: None = None

    def at(self, _stamp_ns: int) -> Pose44 | Missing:
        if self.pose is None:
            return Missing(Absence.LOST, self.name, f"{self.name} is static and was sent without a valid pose")
        return self.pose


@dataclass(frozen=True)
class _Link:
    """The parent of a frame, and the poses of the frame in its parent."""

    parent: str
    poses: _Fixed | Trajectory


class _Way(NamedTuple):
    """The path between two frames through their common ancestor: the frames of each side, lowest first."""

    up: list[str]
    shared: str
    down: list[str]


class TransformTree:
    """Coordinate frames, each with at most one parent at a time."""

    def __init__(self, timing_of: Callable[[str, str], Timing] = lambda _parent, _child: Timing()):
        """Make an empty tree; ``timing_of(parent, child)`` returns the limits of the timed transform parent_T_child."""
        self._timing_of = timing_of
        self._links: dict[str, _Link] = {}

    def add(self, parent: str, child: str, stamp_ns: int | None, pose: Pose44 | None) -> None:
        """Add parent_T_child (4x4) at a stamp, or for all times when stamp_ns is None; None means lost tracking.

        A transform to another parent, or a change between static and timed, replaces the child's former transform.
        Raises ValueError, and changes nothing, for an impossible transform (see ``checked_link``).
        """
        parent, child = checked_link(parent, child, pose)
        if stamp_ns is None:
            self._links[child] = _Link(parent, _Fixed(f"{parent} -> {child}", pose))
        else:
            self._trajectory(parent, child).insert(stamp_ns, pose)

    def lookup(self, target: str, source: str, stamp_ns: int | None) -> Pose44 | Missing:
        """Return target_T_source (4x4) at a stamp, or at the newest common stamp when stamp_ns is None.

        The pose of a frame in itself is the identity, whether or not the tree holds the frame.
        """
        target, source = bare(target), bare(source)
        if target == source:
            return np.eye(4)
        way = self._way(target, source)
        if isinstance(way, Missing):
            return way
        if stamp_ns is None:
            stamp_ns = self._newest_common_ns([*way.up, *way.down])
        shared_T_target, shared_T_source = self._compose(way.down, stamp_ns), self._compose(way.up, stamp_ns)
        if isinstance(shared_T_target, Missing):
            return shared_T_target
        return shared_T_source if isinstance(shared_T_source, Missing) else invert(shared_T_target) @ shared_T_source

    def path(self, target: str, source: str) -> list[str] | Missing:
        """Return the frames from source up to the common ancestor and down to target, including both."""
        way = self._way(bare(target), bare(source))
        return way if isinstance(way, Missing) else [*way.up, way.shared, *reversed(way.down)]

    def ancestors(self, frame: str) -> list[str]:
        """Return the ancestors of a frame, the parent first; empty for an unknown frame and for a root."""
        return self._chain(bare(frame))[1:]

    @property
    def frames(self) -> set[str]:
        """The names of all frames in the tree."""
        return set(self._links) | {link.parent for link in self._links.values()}

    def forget_timed(self) -> None:
        """Drop all timed transforms, after a jump of the clock."""
        self._links = {child: link for child, link in self._links.items() if isinstance(link.poses, _Fixed)}

    def _trajectory(self, parent: str, child: str) -> Trajectory:
        link = self._links.get(child)
        if link is not None and link.parent == parent and isinstance(link.poses, Trajectory):
            return link.poses
        trajectory = Trajectory(self._timing_of(parent, child), f"{parent} -> {child}")
        self._links[child] = _Link(parent, trajectory)
        return trajectory

    def _way(self, target: str, source: str) -> _Way | Missing:
        frames = self.frames
        for frame in (target, source):
            if frame not in frames:
                return _unknown(frame, frames)
        up_from_target, up_from_source = self._chain(target), self._chain(source)
        shared = next((frame for frame in up_from_target if frame in up_from_source), None)
        if shared is None:
            return self._not_connected(up_from_target, up_from_source)
        up, down = up_from_source[: up_from_source.index(shared)], up_from_target[: up_from_target.index(shared)]
        return _Way(up, shared, down)

    def _chain(self, frame: str) -> list[str]:
        """Return the frame and its ancestors, up to the root or to the first frame of a loop of parents."""
        chain = [frame]
        while (link := self._links.get(chain[-1])) is not None:
            if link.parent in chain:
                return chain[: chain.index(link.parent) + 1]
            chain.append(link.parent)
        return chain

    def _not_connected(self, up_from_target: list[str], up_from_source: list[str]) -> Missing:
        target, source = up_from_target[0], up_from_source[0]
        ends = (chain[-1] for chain in (up_from_target, up_from_source))
        roots = " and ".join(f"'{end}'" + (" (in a loop)" if end in self._links else "") for end in ends)
        reason = f"frames '{target}' and '{source}' are not connected; their roots are {roots}"
        return Missing(Absence.NOT_CONNECTED, f"{target}, {source}", reason)

    def _newest_common_ns(self, children: Iterable[str]) -> int:
        newest_ns = (self._links[child].poses.newest_ns for child in children)
        return min((stamp_ns for stamp_ns in newest_ns if stamp_ns is not None), default=0)

    def _compose(self, children: Iterable[str], stamp_ns: int) -> Pose44 | Missing:
        """Return ancestor_T_frame over a chain of frames, lowest first."""
        ancestor_T_frame = np.eye(4)
        for child in children:
            parent_T_child = self._links[child].poses.at(stamp_ns)
            if isinstance(parent_T_child, Missing):
                return parent_T_child
            ancestor_T_frame = parent_T_child @ ancestor_T_frame
        return ancestor_T_frame


def bare(frame: str) -> str:
    """Return the name of a frame without the leading slashes of ROS 1."""
    return frame.lstrip("/")


def checked_link(parent: str, child: str, pose: Pose44 | None) -> tuple[str, str]:
    """Return the names of a transform's parent and child without leading slashes.

    Raises ValueError when a name is empty, both names are the same, or the pose is not finite.
    """
    parent, child = bare(parent), bare(child)
    if not parent or not child or parent == child:
        raise ValueError(f"'{parent}' cannot be the parent frame of '{child}'")
    if pose is not None and not is_finite(pose):
        raise ValueError(f"the transform {parent} -> {child} is not finite")
    return parent, child


def _unknown(frame: str, frames: set[str]) -> Missing:
    named = ", ".join(sorted(frames)[:NAMED_FRAMES])
    more = f" and {len(frames) - NAMED_FRAMES} more" if len(frames) > NAMED_FRAMES else ""
    held = f", which holds {named}{more}" if frames else ", which is empty"
    return Missing(Absence.UNKNOWN_FRAME, frame, f"frame '{frame}' is not in the tree{held}")
