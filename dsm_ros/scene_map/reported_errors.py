"""What goes wrong when a map is read or written, told in one line, whatever LanceDB raises there."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from dsm_ros.errors import MapError

ADVICE = {
    "No space left on device": "free some space or choose another place",
    "Disk quota exceeded": "free some space or choose another place",
    "File too large": "choose a place without this limit",
    "Read-only file system": "choose a place that can be written",
    "Permission denied": "choose a place where you have the rights, or ask for them",
    "Connection refused": "check the address and that the server runs",
    "operation timed out": "check the address and that the server runs",
    "dns error": "check the address",
    "NoSuchBucket": "check the address: there is no such bucket",
    "InvalidAccessKeyId": "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "SignatureDoesNotMatch": "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "AccessDenied": "check the rights of AWS_ACCESS_KEY_ID",
}
KNOWN = re.compile("|".join(ADVICE))


@contextmanager
def damage_reported(uri: str) -> Iterator[None]:
    """Raise MapError where a map cannot be read: why, where the system says so, else that it is damaged."""
    try:
        yield
    except MapError:
        raise
    except Exception as error:
        if known := _known_cause(error):
            raise MapError(f"cannot read the map {uri}: {known}") from error
        if "://" in uri:
            raise MapError(f"cannot read the map {uri} ({_in_one_line(error)}); check the address") from error
        raise MapError(f"the map {uri} is damaged ({_in_one_line(error)}); build it again") from error


@contextmanager
def writing_reported(uri: str) -> Iterator[None]:
    """Raise MapError where a map cannot be written, with the system's reason. For LanceDB's calls alone.

    An interruption waits until they are done.
    """
    try:
        with uninterrupted():
            yield
    except (OSError, RuntimeError, ValueError) as error:
        cause = _known_cause(error) or f"{_in_one_line(error)}; choose another place"
        raise MapError(f"cannot write the map {uri}: {cause}") from error


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let an interruption (Ctrl-C) wait: LanceDB's threads would go on writing to what is being taken back."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    received: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, _: received.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if received and callable(before):
        before(signal.SIGINT, None)


def _known_cause(error: Exception) -> str | None:
    found = KNOWN.search(str(error))
    return f"{found[0]}; {ADVICE[found[0]]}" if found else None


def _in_one_line(error: Exception) -> str:
    return " ".join(repr(error).split())[:200]
