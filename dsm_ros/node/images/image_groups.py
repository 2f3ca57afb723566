"""Groups of image messages with about the same timestamp, one message of each camera."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

from dsm_ros.geometry.trajectory import NS_PER_S
from dsm_ros.messages.pose import stamp_ns_of


class ImageGroup:
    """A group that takes images of about the same timestamp until it is closed.

    received_s: arrival of the first image (monotonic clock).
    """

    def __init__(self, names: Sequence[str], slop_s: float):
        self.received_s = time.monotonic()
        self._names, self._slop_s = names, slop_s
        self._messages: dict[str, Any] = {}
        self._closed = False
        self._changed = threading.Condition()

    def add(self, name: str, message: Any) -> bool:
        """Add an image of a camera if it belongs to this group; return whether it does."""
        with self._changed:
            if self._closed or name in self._messages or not self._is_near(stamp_ns_of(message.header.stamp)):
                return False
            self._messages[name] = message
            self._changed.notify_all()
            return True

    def close(self) -> dict[str, Any]:
        """Wait for missing images until slop_s after the first image; return the images in the order of the cameras.

        An image that arrives later belongs to another group.
        """
        with self._changed:
            remaining_s = self.received_s + self._slop_s - time.monotonic()
            self._changed.wait_for(lambda: len(self._messages) == len(self._names), max(0.0, remaining_s))
            self._closed = True
            return {name: self._messages[name] for name in self._names if name in self._messages}

    def _is_near(self, stamp_ns: int) -> bool:
        stamps_ns = [stamp_ns_of(message.header.stamp) for message in self._messages.values()]
        return all(abs(stamp_ns - other_ns) <= self._slop_s * NS_PER_S for other_ns in stamps_ns)


class ImageGroups:
    """Sorts the images of all cameras into groups. Not safe for several threads at once."""

    def __init__(self, names: Sequence[str], slop_s: float):
        self._names, self._slop_s = names, slop_s
        self._open: ImageGroup | None = None

    def take(self, name: str, message: Any) -> ImageGroup | None:
        """Return the group that an image begins; None if the image joins the previous group."""
        if self._open and self._open.add(name, message):
            return None
        self._open = ImageGroup(self._names, self._slop_s)
        self._open.add(name, message)
        return self._open
