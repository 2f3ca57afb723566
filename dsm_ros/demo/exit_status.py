"""Exit status of the programs in this folder."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from dsm_ros.errors import DsmError


@contextmanager
def exit_on_failure(program: str) -> Iterator[None]:
    """Exit with status 2 and the message in one line on a DsmError, and with status 130 on an interrupt."""
    try:
        yield
    except DsmError as error:
        print(f"{program}: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
