"""What can be read of a sequence: its parts, and how many frames lack which of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

from dsm_ros.datasets.description import Description
from dsm_ros.datasets.frame import Sequence
from dsm_ros.errors import ImageError


@dataclass(frozen=True)
class Inspection:
    """The parts of a sequence, and its frames: all, those with depth and pose, and how many lack something why."""

    description: Description
    frames: int
    complete: int
    lacks: dict[str, int]

    def lines(self) -> Iterator[str]:
        """Yield the counts and warnings, one a line."""
        yield f"{self.complete} of {self.frames} frames have depth and pose"
        for lack, count in self.lacks.items():
            yield f"{count} of {self.frames}: {lack}"
        for warning in self.description.warnings:
            yield f"warning: {warning}"

    def figures(self) -> dict[str, object]:
        """Return everything as JSON values."""
        parts = [asdict(part) for part in self.description.parts]
        warnings = list(self.description.warnings)
        return {
            "parts": parts,
            "frames": self.frames,
            "complete": self.complete,
            "lacks": self.lacks,
            "warnings": warnings,
        }


def inspect_sequence(sequence: Sequence, on_progress: Callable[[int, int], None]) -> Inspection:
    """Look at the headers of all frames and at the first one whole. Raises ImageError when no image can be read."""
    lacks: Counter[str] = Counter()
    complete = 0
    for index in range(len(sequence)):
        reasons = _lacks(sequence, index)
        lacks.update(reasons)
        complete += not reasons
        on_progress(index + 1, len(sequence))
    return Inspection(sequence.describe(), len(sequence), complete, dict(lacks.most_common()))


def _lacks(sequence: Sequence, index: int) -> tuple[str, ...]:
    if index > 0:
        return sequence.header(index).lacks
    try:
        return sequence[index].lacks
    except ImageError:
        return ("its image cannot be read",)
