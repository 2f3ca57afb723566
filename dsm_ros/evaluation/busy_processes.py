"""Processes that keep the CPU busy beside a benchmark."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

BUSY = "import os; parent = os.getppid()\nwhile os.getppid() == parent: sum(range(100_000))"  # ends with its parent


@contextmanager
def busy_processes(count: int) -> Iterator[None]:
    """Run a number of processes, each of which occupies one core until the block ends."""
    running = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(count)]
    try:
        yield
    finally:
        for process in running:
            process.kill()
            process.wait()
