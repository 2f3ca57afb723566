"""Which frames of a sequence become keyframes: those whose camera moved or turned enough since the last one."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dsm_ros.datasets import frame
from dsm_ros.errors import SequenceError
from dsm_ros.geometry.pose import Pose44, pose_error

PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*(m|deg)")
NAMED_REASONS = 3


@dataclass(frozen=True)
class Spacing:
    """How far a camera must have moved, or how far turned, for the next keyframe; infinity where it does not count."""

    distance_m: float = math.inf
    angle_deg: float = math.inf

    def is_reached(self, last_44: Pose44, next_44: Pose44) -> bool:
        """Return whether a pose is that far from another."""
        distance_m, angle_deg = pose_error(next_44, last_44)
        return distance_m >= self.distance_m or angle_deg >= self.angle_deg


DEFAULT_SPACING = Spacing(0.1, 5.0)  # on rooms and the kitchen as accurate as six keyframes a second, within 1 cm


def parse_spacing(text: str) -> Spacing:
    """Return the spacing of METRESm/DEGREESdeg, either part optional. Raises SequenceError when it is none."""
    found = [PART.fullmatch(part.strip()) for part in text.split("/")]
    values = {match[2]: float(match[1]) for match in found if match}
    if len(values) != len(found) or not all(values.values()):
        raise SequenceError(f"--every '{text}' is no distance or turn; try 0.3m/15deg, 0.3m or 15deg")
    return Spacing(values.get("m", math.inf), values.get("deg", math.inf))


@dataclass(frozen=True)
class Selection:
    """Frames to take as keyframes, and how many were left out for want of a part, by reason."""

    indices: tuple[int, ...]
    left_out: dict[str, int]


def select_keyframes(
    sequence: frame.Sequence, indices: Sequence[int], every: str | None, all_of_them: bool
) -> Selection:
    """Return the frames that are ``every`` apart; without it all of them, if they were chosen one by one.

    Otherwise they are at the default spacing. Raises SequenceError as ``parse_spacing`` and ``select_by_motion``.
    """
    if every is None and all_of_them:
        return Selection(tuple(indices), {})
    return select_by_motion(sequence, indices, parse_spacing(every) if every is not None else DEFAULT_SPACING)


def select_by_motion(sequence: frame.Sequence, indices: Sequence[int], spacing: Spacing) -> Selection:
    """Return the frames that are ``spacing`` apart, among those that lack nothing; reads no pixels.

    Raises SequenceError when every frame lacks something.
    """
    selected: list[int] = []
    left_out: Counter[str] = Counter()
    last_44: Pose44 | None = None
    for index in indices:
        header = sequence.header(index)
        if header.lacks or header.map_T_camera is None:
            left_out.update(header.lacks or ["no pose"])
        elif last_44 is None or spacing.is_reached(last_44, header.map_T_camera):
            selected.append(index)
            last_44 = header.map_T_camera
    if not selected:
        raise SequenceError(nothing_usable(sequence.name, len(indices), left_out))
    return Selection(tuple(selected), dict(left_out))


def nothing_usable(name: str, count: int, left_out: Mapping[str, int]) -> str:
    """Return the line that says why none of a sequence's frames can be used."""
    commonest = Counter(left_out).most_common(NAMED_REASONS)
    reasons = "; ".join(f"{number} {reason}" for reason, number in commonest)
    return f"{name}: {count} of {count} frames cannot be used: {reasons}; a map needs image, depth and pose"
