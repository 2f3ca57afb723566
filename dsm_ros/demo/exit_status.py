"""Exit status of the programs in this folder."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

from dsm_ros.errors import DsmError

BAD_INPUT, INTERRUPTED, TERMINATED = 2, 130, 143


class Interruption(KeyboardInterrupt):
    """A signal; Python replaces the exit status after a plain KeyboardInterrupt within exec, which imports call."""


@contextmanager
def exit_on_failure(program: str) -> Iterator[None]:
    """Exit with status 2 and one line on bad input, with status 130 on Ctrl-C, and with status 143 on SIGTERM.

    SIGTERM interrupts the block as Ctrl-C does, so that the block can end its child processes.
    """
    with _interrupt_on_sigterm() as terminations:
        try:
            yield
        except DsmError as error:
            _exit_with_error(program, str(error))
        except OSError as error:
            file = f"{error.filename}: " if error.filename else ""
            advice = "correct the problem, or choose another folder"
            _exit_with_error(program, f"{file}{error.strerror or error}; {advice}")
        except KeyboardInterrupt:
            sys.exit(TERMINATED if terminations else INTERRUPTED)


def _exit_with_error(program: str, message: str) -> NoReturn:
    print(f"{program}: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(BAD_INPUT)


@contextmanager
def _interrupt_on_sigterm() -> Iterator[list[int]]:
    """Raise SIGINT on each SIGTERM, and yield the list of the SIGTERMs."""
    received: list[int] = []

    def interrupt(*_: object) -> None:
        raise Interruption

    def terminate(number: int, _: FrameType | None) -> None:
        received.append(number)
        signal.raise_signal(signal.SIGINT)  # code that delays SIGINT then also delays SIGTERM

    # A shell lets programs in the background ignore SIGINT, which would be lost then.
    before = signal.signal(signal.SIGINT, interrupt), signal.signal(signal.SIGTERM, terminate)
    try:
        yield received
    finally:
        signal.signal(signal.SIGINT, before[0])
        signal.signal(signal.SIGTERM, before[1])
