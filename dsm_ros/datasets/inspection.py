"""Inspection of a sequence: the sources of its parts, and the number of frames in which a part is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

from dsm_ros.datasets.description import Description
from dsm_ros.datasets.frame import FrameSequence
from dsm_ros.errors import ImageError


@dataclass(frozen=True)
class Inspection:
    """The parts of a sequence and counts of its frames.

    complete: number of frames with depth and pose. missing: number of frames for each reason why a part is missing.
    """

    description: Description
    frames: int
    complete: int
    missing: dict[str, int]

    def lines(self) -> Iterator[str]:
        """Yield one line for each count and each warning."""
        yield f"{self.complete} of {self.frames} frames have depth and pose"
        for reason, count in self.missing.items():
            yield f"{count} of {self.frames}: {reason}"
        for warning in self.description.warnings:
            yield f"warning: {warning}"

    def figures(self) -> dict[str, object]:
        """Return the inspection as JSON values."""
        parts = [asdict(part) for part in self.description.parts]
        warnings = list(self.description.warnings)
        return {
            "parts": parts,
            "frames": self.frames,
            "complete": self.complete,
            "missing": self.missing,
            "warnings": warnings,
        }


def inspect_sequence(sequence: FrameSequence, on_progress: Callable[[int, int], None]) -> Inspection:
    """Read the headers of all frames, and the image and the depth of the first frame.

    Raises ImageError when no image can be read.
    """
    missing: Counter[str] = Counter()
    complete = 0
    for index in range(len(sequence)):
        reasons = _missing_parts(sequence, index)
        missing.update(reasons)
        complete += not reasons
        on_progress(index + 1, len(sequence))
    return Inspection(sequence.describe(), len(sequence), complete, dict(missing.most_common()))


def _missing_parts(sequence: FrameSequence, index: int) -> tuple[str, ...]:
    if index > 0:
        return sequence.header(index).missing
    try:
        return sequence[index].missing
    except ImageError:
        return ("its image cannot be read",)
