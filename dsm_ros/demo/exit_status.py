"""Exit status of the programs in this folder."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

from dsm_ros.errors import DsmError

BAD_INPUT, INTERRUPTED, TERMINATED = 2, 130, 143


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

    def interrupt(number: int, _: object) -> None:
        received.append(number)
        signal.raise_signal(signal.SIGINT)  # whoever delays Ctrl-C delays SIGTERM too

    # A shell lets programs in the background ignore SIGINT, which would be lost then.
    handlers = {signal.SIGINT: signal.default_int_handler, signal.SIGTERM: interrupt}
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
