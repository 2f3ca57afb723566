"""Tables and numbers for the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.table import Table

MAX_WIDTH = 10_000  # columns; more than any table has


def print_table(title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str] = ()) -> None:
    """Print rows of text under their heads, the first column left-aligned, and notes below the table."""
    table = Table(title=escape(title), box=SIMPLE)
    for count, head in enumerate(heads):
        table.add_column(head, justify="right" if count else "left", no_wrap=True)
    for row in rows:
        table.add_row(*map(escape, row))
    print_whole(table, notes)


def print_whole(table: Table, notes: Sequence[str] = ()) -> None:
    """Print a table and notes below it; on a narrower screen lines wrap, because a truncated number would be wrong."""
    width = Console(width=MAX_WIDTH).measure(table).maximum
    console = Console(width=max(Console().width, width))
    console.print(table, *map(escape, notes), sep="\n", soft_wrap=False)


def number(value: object, digits: int, factor: float = 1.0, missing: str = "") -> str:
    """Return a number times a factor, with a number of decimals, or ``missing`` for None."""
    return missing if value is None else f"{float(str(value)) * factor:.{digits}f}"
