"""The last seconds of a tree of frames, asked at a time; no ROS in it, safe to use from several threads."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from bisect import bisect_left
from dataclasses import dataclass, field

import numpy as np

from dsm_ros.geometry.pose import Pose44, interpolate, invert

HISTORY_NS = 10_000_000_000  # as tf2
NS_PER_S = 1_000_000_000


@dataclass(frozen=True)
class Missing:
    """Why a transform cannot be told, in one sentence without a full stop."""

    reason: str


class TransformStore(ABC):
    """What every transform buffer offers: add, lookup, wait, clear; each may be called from any thread."""

    def __init__(self) -> None:
        self._changed = threading.Condition()

    def add(self, parent: str, child: str, stamp_ns: int | None, parent_T_child: Pose44) -> None:
        """Take up a transform, for all times when stamp_ns is None. Raises ValueError for an impossible one."""
        parent, child = parent.removeprefix("/"), child.removeprefix("/")
        if not parent or not child or parent == child:
            raise ValueError(f"'{parent}' cannot be the parent frame of '{child}'")
        if not np.isfinite(parent_T_child).all():
            raise ValueError(f"the transform {parent} -> {child} is not finite")
        with self._changed:
            self._insert(parent, child, stamp_ns, parent_T_child)
            self._changed.notify_all()

    def lookup(self, target: str, source: str, stamp_ns: int | None) -> Pose44 | Missing:
        """Return target_T_source at a time, or at the newest common time when stamp_ns is None; never extrapolated."""
        target, source = target.removeprefix("/"), source.removeprefix("/")
        if target == source:
            return np.eye(4)
        with self._changed:
            return self._find(target, source, stamp_ns)

    def wait(self, target: str, source: str, stamp_ns: int | None, timeout_s: float) -> Pose44 | Missing:
        """Return lookup's answer as soon as there is one; after timeout_s (wall clock), why there is none."""
        deadline_s = time.monotonic() + timeout_s
        with self._changed:
            while True:
                answer = self.lookup(target, source, stamp_ns)
                remaining_s = deadline_s - time.monotonic()
                if not isinstance(answer, Missing) or remaining_s <= 0:
                    return answer
                self._changed.wait(remaining_s)

    def clear(self) -> None:
        """Forget everything but static transforms: for jumps of the clock."""
        with self._changed:
            self._forget()

    @abstractmethod
    def _insert(self, parent: str, child: str, stamp_ns: int | None, parent_T_child: Pose44) -> None: ...

    @abstractmethod
    def _find(self, target: str, source: str, stamp_ns: int | None) -> Pose44 | Missing: ...

    @abstractmethod
    def _forget(self) -> None: ...


@dataclass
class _Edge:
    """The way from a frame to its parent: one pose for all times, or samples in the order of their stamps."""

    parent: str
    static_T: Pose44 | None = None
    stamps_ns: list[int] = field(default_factory=list)
    poses: list[Pose44] = field(default_factory=list)

    def insert(self, stamp_ns: int, pose: Pose44) -> None:
        if self.stamps_ns and stamp_ns < self.stamps_ns[-1] - HISTORY_NS:
            self.stamps_ns, self.poses = [], []  # time began anew: a bag in a loop, a simulation restarted
        index = bisect_left(self.stamps_ns, stamp_ns)
        if index < len(self.stamps_ns) and self.stamps_ns[index] == stamp_ns:
            self.poses[index] = pose  # said again: the last counts, as in tf2
            return
        self.stamps_ns.insert(index, stamp_ns)
        self.poses.insert(index, pose)
        old = bisect_left(self.stamps_ns, self.stamps_ns[-1] - HISTORY_NS)
        del self.stamps_ns[:old], self.poses[:old]

    def at(self, stamp_ns: int) -> Pose44 | str:
        """The pose at a time, or in which way the time is outside the samples."""
        if self.static_T is not None:
            return self.static_T
        first_ns, last_ns = self.stamps_ns[0], self.stamps_ns[-1]
        if stamp_ns > last_ns:
            return f"ends {(stamp_ns - last_ns) / NS_PER_S:.3f} s before the asked time"
        if stamp_ns < first_ns:
            return f"begins {(first_ns - stamp_ns) / NS_PER_S:.3f} s after the asked time"
        after = bisect_left(self.stamps_ns, stamp_ns)
        if self.stamps_ns[after] == stamp_ns:
            return self.poses[after]
        before_ns, after_ns = self.stamps_ns[after - 1], self.stamps_ns[after]
        fraction = (stamp_ns - before_ns) / (after_ns - before_ns)
        return interpolate(self.poses[after - 1], self.poses[after], fraction)


class TransformBuffer(TransformStore):
    """The buffer for machines without tf2: each frame has one parent at a time, each edge 10 s of samples."""

    def __init__(self) -> None:
        super().__init__()
        self._edges: dict[str, _Edge] = {}

    def _insert(self, parent: str, child: str, stamp_ns: int | None, parent_T_child: Pose44) -> None:
        edge = self._edges.get(child)
        if stamp_ns is None:
            self._edges[child] = _Edge(parent, parent_T_child)
            return
        if edge is None or edge.parent != parent or edge.static_T is not None:
            edge = self._edges[child] = _Edge(parent)
        edge.insert(stamp_ns, parent_T_child)

    def _find(self, target: str, source: str, stamp_ns: int | None) -> Pose44 | Missing:
        up_from_target, up_from_source = self._chain(target), self._chain(source)
        for frame, chain in ((target, up_from_target), (source, up_from_source)):
            if len(chain) == 1 and all(edge.parent != frame for edge in self._edges.values()):
                return Missing(f"frame '{frame}' has not been heard on /tf or /tf_static")
        shared = next((frame for frame in up_from_target if frame in up_from_source), None)
        if shared is None:
            roots = f"'{up_from_target[-1]}' and '{up_from_source[-1]}'"
            return Missing(f"frames '{target}' and '{source}' are not connected; they hang from {roots}")
        down, up = up_from_target[: up_from_target.index(shared)], up_from_source[: up_from_source.index(shared)]
        if stamp_ns is None:
            stamp_ns = self._newest_common_ns([*down, *up])
        shared_T_target, shared_T_source = self._compose(down, stamp_ns), self._compose(up, stamp_ns)
        if isinstance(shared_T_target, Missing):
            return shared_T_target
        return shared_T_source if isinstance(shared_T_source, Missing) else invert(shared_T_target) @ shared_T_source

    def _forget(self) -> None:
        self._edges = {child: edge for child, edge in self._edges.items() if edge.static_T is not None}

    def _chain(self, frame: str) -> list[str]:
        """The frame and all above it; ends at the root, or before a frame comes twice."""
        chain = [frame]
        while chain[-1] in self._edges and self._edges[chain[-1]].parent not in chain:
            chain.append(self._edges[chain[-1]].parent)
        return chain

    def _newest_common_ns(self, children: list[str]) -> int:
        edges = [self._edges[child] for child in children]
        return min((edge.stamps_ns[-1] for edge in edges if edge.static_T is None), default=0)

    def _compose(self, children: list[str], stamp_ns: int) -> Pose44 | Missing:
        """ancestor_T_frame over a chain of frames, lowest first."""
        ancestor_T_frame = np.eye(4)
        for child in children:
            edge = self._edges[child]
            parent_T_child = edge.at(stamp_ns)
            if isinstance(parent_T_child, str):
                return Missing(f"{edge.parent} -> {child} {parent_T_child}")
            ancestor_T_frame = parent_T_child @ ancestor_T_frame
        return ancestor_T_frame
