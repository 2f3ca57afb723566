"""Parents that other nodes give to frames; a frame with two parents breaks the TF tree."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dsm_ros.geometry.trajectory import NS_PER_S
from dsm_ros.node.tf.transform_buffer import HISTORY_NS

CLAIM_S = HISTORY_NS / NS_PER_S
OWN_KEPT = 1000


@dataclass(frozen=True)
class Claim:
    """A parent that another node gives to a frame."""

    parent: str
    static: bool
    received_s: float


class Parents:
    """Remembers the parents of frames on /tf, except parents in transforms that this node sent itself.

    now_s: returns the time of the clock of ROS.
    """

    def __init__(self, now_s: Callable[[], float]) -> None:
        self._now_s = now_s
        self._claims: dict[str, Claim] = {}
        self._own: dict[tuple[Any, ...], None] = {}
        self._lock = threading.Lock()

    def announce(self, transform: Any) -> None:
        """Remember a TransformStamped before this node sends it."""
        with self._lock:
            self._own[_key(transform)] = None
            if len(self._own) > OWN_KEPT:
                del self._own[next(iter(self._own))]

    def add(self, transform: Any, static: bool) -> None:
        """Remember the parent in a TransformStamped that has arrived."""
        with self._lock:
            if _key(transform) not in self._own:
                claim = Claim(transform.header.frame_id.removeprefix("/"), static, self._now_s())
                self._claims[transform.child_frame_id.removeprefix("/")] = claim

    def other(self, child: str) -> Claim | None:
        """Return the parent that another node gives to a frame, statically or within the last 10 s."""
        with self._lock:
            claim = self._claims.get(child.removeprefix("/"))
        fresh = claim is not None and (claim.static or self._now_s() - claim.received_s < CLAIM_S)
        return claim if fresh else None

    def clear(self) -> None:
        """Forget all but static parents."""
        with self._lock:
            self._claims = {child: claim for child, claim in self._claims.items() if claim.static}


def _key(transform: Any) -> tuple[Any, ...]:
    """Return values that identify a transform: float64 values come back from the wire unchanged."""
    stamp, t = transform.header.stamp, transform.transform.translation
    return (transform.header.frame_id, transform.child_frame_id, stamp.sec, stamp.nanosec, t.x, t.y, t.z)
