"""Progress bars on stderr; stdout stays free for results."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

REDRAW_S = 0.1


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a function (done, total) that updates a progress bar; the first call shows the bar.

    The bar is drawn within the calls, because a thread that draws would slow what is measured between the calls.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    progress = Progress(*columns, console=Console(stderr=True), auto_refresh=False)
    task = progress.add_task(label, total=None)
    drawn_s = 0.0

    def update(done: int, total: int) -> None:
        nonlocal drawn_s
        progress.start()
        progress.update(task, completed=done, total=total)
        if done == total or time.monotonic() - drawn_s > REDRAW_S:
            progress.refresh()
            drawn_s = time.monotonic()

    try:
        yield update
    finally:
        if progress.live.is_started:  # stopping a bar that was never shown prints a blank line
            progress.stop()


@contextmanager
def spinner(label: str) -> Iterator[None]:
    """Show a spinner on stderr during work of unknown length, if stderr is a terminal."""
    from rich.console import Console

    console = Console(stderr=True)
    with console.status(label) if console.is_terminal else nullcontext():
        yield
