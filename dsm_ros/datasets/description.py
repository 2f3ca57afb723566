"""Description of a recording: the sources of its images, camera, depth and poses."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RecordingPart:
    """One part of a recording, shown as one row by ``dsm inspect``.

    what: image, camera, depth or poses. source: the topic or file, empty for a missing part. detail: sizes, frames and
    rules applied, or the reason why the part is missing. change: the options that select another source.
    """

    what: str
    source: str
    detail: str
    change: str = ""


@dataclass(frozen=True)
class Description:
    """The parts of a recording, and warnings for the user."""

    parts: tuple[RecordingPart, ...]
    warnings: tuple[str, ...] = ()
