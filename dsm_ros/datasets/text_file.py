"""Reading of text and numbers from files written by editors, scripts and other programs."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from dsm_ros.errors import SequenceError

NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
NOT_A_NUMBER = re.compile(r"[+-]?(?:nan(?:\(\w*\))?|1\.#(?:ind|qnan|snan)\w*)", re.IGNORECASE)  # also of old Visual C++
INFINITE = re.compile(r"[+-]?(?:inf|infinity|1\.#inf\w*)", re.IGNORECASE)
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark is the start of the UTF-32 mark
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
MAX_QUOTED_CHARACTERS = 40


def read_text(path: Path) -> str:
    """Return the text of a file in UTF-8, in UTF-16 or UTF-32 with a byte order mark, or else in Latin-1.

    Raises SequenceError when the file cannot be opened.
    """
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
    """Return the number in a text, including NaN and infinity as Visual C++ prints them.

    Raises ValueError for a text that is not a number.
    """
    if NUMBER.fullmatch(text):
        return float(text)
    if NOT_A_NUMBER.fullmatch(text):
        return float("nan")
    if INFINITE.fullmatch(text):
        return float("-inf" if text.startswith("-") else "inf")
    raise ValueError(f"'{quoted(text)}' is not a number")


def quoted(text: str) -> str:
    """Return the beginning of a text in printable characters, for an error message."""
    printable = "".join(character if character.isprintable() else "?" for character in text)
    return printable if len(printable) <= MAX_QUOTED_CHARACTERS else f"{printable[:MAX_QUOTED_CHARACTERS]}..."
