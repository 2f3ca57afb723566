"""Groups of image messages with about the same timestamp, one message of each camera."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

from dsm_ros.geometry.trajectory import NS_PER_S
from dsm_ros.messages.pose import stamp_ns_of

REMEMBERED = 32  # incomplete groups: one second of 30 images, the largest slop_s


class ImageGroup:
    """A group that takes images of about the same timestamp until it is closed.

    One thread adds images, and another thread closes the group. received_s: arrival of the first image (monotonic
    clock).
    """

    def __init__(self, names: Sequence[str], slop_s: float):
        self.received_s = time.monotonic()
        self._names, self._slop_s = names, slop_s
        self._stamps_ns: dict[str, int] = {}  # of all images, for the thread that adds images
        self._messages: dict[str, Any] = {}
        self._closed = False
        self._changed = threading.Condition()

    @property
    def is_complete(self) -> bool:
        """Whether the group has an image of each camera."""
        return len(self._stamps_ns) == len(self._names)

    def lacks(self, name: str, stamp_ns: int) -> bool:
        """Return whether the group has no image of a camera, and a timestamp is near those of its images."""
        return name not in self._stamps_ns and self.distance_ns(stamp_ns) <= self._slop_s * NS_PER_S

    def distance_ns(self, stamp_ns: int) -> int:
        """Return the maximum difference of a timestamp from those of the group's images."""
        return max(abs(stamp_ns - other_ns) for other_ns in self._stamps_ns.values())

    def add(self, name: str, message: Any) -> bool:
        """Add an image of a camera; return False if the group is closed."""
        with self._changed:
            if self._closed:
                return False
            self._messages[name] = message
            self._stamps_ns[name] = stamp_ns_of(message.header.stamp)
            self._changed.notify_all()
            return True

    def close(self) -> dict[str, Any]:
        """Wait for missing images until slop_s after the first image; return the images in the order of the cameras."""
        with self._changed:
            remaining_s = self.received_s + self._slop_s - time.monotonic()
            self._changed.wait_for(lambda: self.is_complete, max(0.0, remaining_s))
            self._closed = True
            messages, self._messages = self._messages, {}
            return {name: messages[name] for name in self._names if name in messages}

    def discard(self) -> None:
        """Close the group without using its images."""
        with self._changed:
            self._closed = True
            self._messages = {}


class ImageGroups:
    """Sorts the images of all cameras into groups. Not safe for several threads at once.

    Remembers incomplete groups also after they were closed, so that an image that comes too late for its own group
    joins no other group.
    """

    def __init__(self, names: Sequence[str], slop_s: float):
        self._names, self._slop_s = names, slop_s
        self._incomplete: deque[ImageGroup] = deque(maxlen=REMEMBERED)
        self._newest_ns = 0  # timestamp that began the newest group

    def take(self, name: str, message: Any) -> ImageGroup | None:
        """Return the group that an image begins; None if the image joins an earlier group or is too late for it."""
        stamp_ns = stamp_ns_of(message.header.stamp)
        candidates = [group for group in reversed(self._incomplete) if group.lacks(name, stamp_ns)]
        nearest = min(candidates, key=lambda group: group.distance_ns(stamp_ns), default=None)
        is_late = 0 < stamp_ns <= self._newest_ns  # without timestamps, no image is late
        if nearest is None or not (nearest.add(name, message) or is_late):
            return self._begin(name, message)
        if nearest.is_complete:
            self._incomplete.remove(nearest)
        return None

    def _begin(self, name: str, message: Any) -> ImageGroup:
        group = ImageGroup(self._names, self._slop_s)
        group.add(name, message)
        self._newest_ns = stamp_ns_of(message.header.stamp)
        if not group.is_complete:
            self._incomplete.append(group)
        return group
