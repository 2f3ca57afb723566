"""What a reader found in a recording: where images, camera, depth and poses come from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """One part of a recording, a row of ``dsm inspect``.

    what: image, camera, depth or poses. source: the topic or file, empty when the part is missing. detail: sizes,
    frames and rules applied, or why the part is missing. change: the options that would read something else.
    """

    what: str
    source: str
    detail: str
    change: str = ""


@dataclass(frozen=True)
class Description:
    """All parts of a recording, and what its user should be warned of."""

    parts: tuple[Part, ...]
    warnings: tuple[str, ...] = ()
