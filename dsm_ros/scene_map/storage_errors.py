"""Translation of LanceDB's exceptions into errors of one line."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from dsm_ros.errors import MapError

ADVICE = {
    "No space left on device": "free some space or choose another disk",
    "Disk quota exceeded": "free some space or choose another disk",
    "File too large": "choose a file system without this limit",
    "Read-only file system": "choose a writable file system",
    "Permission denied": "choose a folder for which you have permission",
    "Connection refused": "check the address, and that the server is running",
    "operation timed out": "check the address, and that the server is running",
    "dns error": "check the address",
    "NoSuchBucket": "check the address, because the bucket does not exist",
    "InvalidAccessKeyId": "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "SignatureDoesNotMatch": "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
    "AccessDenied": "check the permissions of AWS_ACCESS_KEY_ID",
}
KNOWN = re.compile("|".join(ADVICE))


@contextmanager
def translate_read_errors(uri: str) -> Iterator[None]:
    """Translate any exception into MapError with a known reason, or else with the reason that the map is damaged."""
    try:
        yield
    except MapError:
        raise
    except Exception as error:
        if known := _known_cause(error):
            raise MapError(f"cannot read the map {uri}: {known}") from error
        if "://" in uri:
            raise MapError(f"cannot read the map {uri} ({_in_one_line(error)}); check the address") from error
        raise MapError(f"the map {uri} is damaged ({_in_one_line(error)}); build the map again") from error


@contextmanager
def translate_write_errors(uri: str) -> Iterator[None]:
    """Translate the exceptions of LanceDB's writing calls into MapError; delay interruptions until the calls end."""
    try:
        with delay_interrupts():
            yield
    except (OSError, RuntimeError, ValueError) as error:
        cause = _known_cause(error) or f"{_in_one_line(error)}; choose another location"
        raise MapError(f"cannot write the map {uri}: {cause}") from error


@contextmanager
def delay_interrupts() -> Iterator[None]:
    """Delay Ctrl-C until the block ends, because LanceDB's threads would continue to write during the rollback."""
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
