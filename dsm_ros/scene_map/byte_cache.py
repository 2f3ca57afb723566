"""Cache of values read from a map, which drops the least recently used values beyond a number of bytes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Value = TypeVar("Value")
Read = Callable[[Sequence[int]], Sequence[Value]]


class ByteCache(Generic[Value]):
    """Cached values of keyframes by id; several threads may use the cache at once.

    size_of: returns the size of a value in bytes. max_bytes: limit for all values together; the values of the latest
    call are always kept.
    """

    def __init__(self, size_of: Callable[[Value], int], max_bytes: int) -> None:
        self._size_of, self._max_bytes = size_of, max_bytes
        self._values: OrderedDict[int, Value] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def get(self, ids: Sequence[int], read: Read[Value]) -> list[Value]:
        """Return the values of keyframes in the order of their ids.

        read: returns the values of ids in their order. The cache does not keep this function, because a map that owns
        its cache and is read by the cache would be freed late.
        """
        with self._lock:
            if missing := [i for i in dict.fromkeys(ids) if i not in self._values]:
                self._add(missing, read(missing))
            for i in ids:
                self._values.move_to_end(i)
            found = [self._values[i] for i in ids]
            while self._bytes > self._max_bytes and len(self._values) > len(set(ids)):
                self._bytes -= self._size_of(self._values.popitem(last=False)[1])
        return found

    def clear(self) -> None:
        """Drop all values."""
        with self._lock:
            self._values.clear()
            self._bytes = 0

    def _add(self, ids: Sequence[int], values: Sequence[Value]) -> None:
        for i, value in zip(ids, values, strict=True):
            self._values[i] = value
            self._bytes += self._size_of(value)
