"""Transform buffers that hold the last 10 s, without ROS."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod

from dsm_ros.geometry.pose import Pose44
from dsm_ros.geometry.trajectory import Missing, Timing
from dsm_ros.geometry.transform_tree import TransformTree

HISTORY_NS = 10_000_000_000  # as tf2


class TransformStore(ABC):
    """Interface of transform buffers. Any thread may call its methods."""

    def __init__(self) -> None:
        self._changed = threading.Condition()

    def add(self, parent: str, child: str, stamp_ns: int | None, parent_T_child: Pose44) -> None:
        """Add a transform at a time, or at all times if stamp_ns is None. Raises ValueError if impossible."""
        with self._changed:
            self._insert(parent, child, stamp_ns, parent_T_child)
            self._changed.notify_all()

    def lookup(self, target: str, source: str, stamp_ns: int | None) -> Pose44 | Missing:
        """Return target_T_source at a time, or at the newest common time if stamp_ns is None; never extrapolated."""
        with self._changed:
            return self._find(target, source, stamp_ns)

    def wait(self, target: str, source: str, stamp_ns: int | None, timeout_s: float) -> Pose44 | Missing:
        """Return target_T_source as soon as it is known; after timeout_s, why it is missing."""
        deadline_s = time.monotonic() + timeout_s
        with self._changed:
            while True:
                answer = self.lookup(target, source, stamp_ns)
                remaining_s = deadline_s - time.monotonic()
                if not isinstance(answer, Missing) or remaining_s <= 0:
                    return answer
                self._changed.wait(remaining_s)

    def clear(self) -> None:
        """Forget everything but static transforms, after a jump of the clock."""
        with self._changed:
            self._forget()

    @abstractmethod
    def _insert(self, parent: str, child: str, stamp_ns: int | None, parent_T_child: Pose44) -> None: ...

    @abstractmethod
    def _find(self, target: str, source: str, stamp_ns: int | None) -> Pose44 | Missing: ...

    @abstractmethod
    def _forget(self) -> None: ...


class TransformBuffer(TransformStore):
    """Transform buffer for machines without tf2: a transform tree that keeps 10 s of every link."""

    def __init__(self) -> None:
        super().__init__()
        self._tree = TransformTree(lambda _parent, _child: Timing(history_ns=HISTORY_NS))

    def _insert(self, parent: str, child: str, stamp_ns: int | None, parent_T_child: Pose44) -> None:
        self._tree.add(parent, child, stamp_ns, parent_T_child)

    def _find(self, target: str, source: str, stamp_ns: int | None) -> Pose44 | Missing:
        return self._tree.lookup(target, source, stamp_ns)

    def _forget(self) -> None:
        self._tree.forget_timed()
