"""Search for the files frame-NNNNNN.{color,depth,pose}.* in a folder."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

PATTERN = re.compile(
    r"(?P<stem>frame-(?P<number>\d{1,9}))\."
    r"(?:(?P<colour>colou?r\.(?:png|jpe?g))|(?P<depth>depth\.(?:png|pgm|tiff?))|(?P<pose>pose\.txt))",
    re.ASCII | re.IGNORECASE,
)


@dataclass
class FrameFiles:
    """The files of one frame. number: the number in the file names. parts: files by part: colour, depth, pose."""

    number: int
    name: str
    parts: dict[str, Path] = field(default_factory=dict)


def find_frames(folder: Path) -> list[FrameFiles]:
    """Return the frames of a folder with a colour image, by number; a PNG is preferred to a JPEG."""
    frames: dict[int, FrameFiles] = {}
    for path in sorted(folder.iterdir(), reverse=True):  # .png before .jpg
        if not (match := PATTERN.fullmatch(path.name)):
            continue
        files = frames.setdefault(int(match["number"]), FrameFiles(int(match["number"]), match["stem"]))
        part = next(name for name in ("colour", "depth", "pose") if match[name])
        files.parts.setdefault(part, path)
    return sorted((files for files in frames.values() if "colour" in files.parts), key=lambda files: files.number)


def holds_frames(folder: Path) -> bool:
    """Return whether a folder is in the layout of 7-Scenes."""
    return any((match := PATTERN.fullmatch(path.name)) and match["colour"] for path in folder.iterdir())
