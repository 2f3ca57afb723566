"""Reading of text files with one row of values per line."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from dsm_ros.datasets.text_file import quoted, read_text
from dsm_ros.errors import SequenceError

Value = TypeVar("Value")

COMMENT = re.compile(r"(?:^|\s)#.*")


@dataclass(frozen=True)
class Table(Generic[Value]):
    """Rows of a text file. truncated: the reason why the last row was left out, empty for a complete last row."""

    rows: list[Value]
    truncated: str = ""


def read_table(path: Path, parse: Callable[[str], Value], is_complete: Callable[[Value], bool]) -> Table[Value]:
    """Return the result of ``parse`` for each row, without empty lines and comments (#).

    A last line without a newline may be truncated, so its row is left out when it cannot be parsed or is not
    ``is_complete``. Raises SequenceError with file and line for any other row for which ``parse`` raises ValueError.
    """
    lines = re.split(r"\r\n|\r|\n", read_text(path))
    rows: list[Value] = []
    for number, line in enumerate(lines, 1):
        if not (text := COMMENT.sub("", line).strip()):
            continue
        may_be_truncated = number == len(lines) and bool(rows)
        try:
            row = parse(text)
        except ValueError as error:
            if may_be_truncated:
                return Table(rows, str(error))
            raise SequenceError(f"{path}, line {number}: {error}; correct the line or comment it out with #") from error
        if may_be_truncated and not is_complete(row):
            return Table(rows, f"'{quoted(text)}' seems to be truncated")
        rows.append(row)
    return Table(rows)
