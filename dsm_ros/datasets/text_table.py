"""Text files of rows of values, as editors, scripts and other systems leave them."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from dsm_ros.errors import SequenceError

Value = TypeVar("Value")

COMMENT = re.compile(r"(?:^|\s)#.*")
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
NOT_A_NUMBER = re.compile(r"[+-]?(?:nan(?:\(\w*\))?|1\.#(?:ind|qnan|snan)\w*)", re.IGNORECASE)  # also of old Visual C++
INFINITE = re.compile(r"[+-]?(?:inf|infinity|1\.#inf\w*)", re.IGNORECASE)
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
SHOWN_CHARACTERS = 40


@dataclass(frozen=True)
class Table(Generic[Value]):
    """Rows of a text file. cut: what was wrong with the last row, which was left out, where the file ends in it."""

    rows: list[Value]
    cut: str = ""


def read_table(path: Path, parse: Callable[[str], Value], is_whole: Callable[[Value], bool]) -> Table[Value]:
    """Return what ``parse`` makes of each row, without empty lines and comments (#).

    Where the last line has no end, as in a file that was cut, its row is left out if it cannot be parsed or is not
    ``is_whole``. Raises SequenceError with file and line for every other row for which ``parse`` raises ValueError.
    """
    lines = re.split(r"\r\n|\r|\n", read_text(path))
    rows: list[Value] = []
    for number, line in enumerate(lines, 1):
        if not (text := COMMENT.sub("", line).strip()):
            continue
        is_open = number == len(lines)
        try:
            row = parse(text)
        except ValueError as error:
            if is_open and rows:
                return Table(rows, str(error))
            raise SequenceError(f"{path}, line {number}: {error}; mend that line, or begin it with #") from error
        if is_open and rows and not is_whole(row):
            return Table(rows, f"'{shown(text)}' seems to be cut")
        rows.append(row)
    return Table(rows)


def read_text(path: Path) -> str:
    """Return a file's text: UTF-8, UTF-16 by its byte order mark, else latin-1. Raises SequenceError."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SequenceError(f"cannot read {path}: {error.strerror or error}") from error
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if data.startswith(mark):
            return data.decode(encoding, errors="replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def parse_number(text: str) -> float:
    """Return a number as programs print it, NaN and infinity of Visual C++ too; ValueError for anything else."""
    if NUMBER.fullmatch(text):
        return float(text)
    if NOT_A_NUMBER.fullmatch(text):
        return float("nan")
    if INFINITE.fullmatch(text):
        return float("-inf" if text.startswith("-") else "inf")
    raise ValueError(f"'{shown(text)}' is no number")


def shown(text: str) -> str:
    """Return the beginning of a text, fit for one line of an error."""
    printable = "".join(character if character.isprintable() else "?" for character in text)
    return printable if len(printable) <= SHOWN_CHARACTERS else f"{printable[:SHOWN_CHARACTERS]}..."
