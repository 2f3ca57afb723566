"""Selection of keyframes by the camera's motion since the previous keyframe."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dsm_ros.datasets.frame import FrameSequence
from dsm_ros.errors import SequenceError
from dsm_ros.geometry.pose import Pose44, pose_error

PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*(m|deg)")
MAX_LISTED_REASONS = 3


@dataclass(frozen=True)
class Spacing:
    """Translation or rotation after which the next keyframe is taken; infinity disables a limit."""

    distance_m: float = math.inf
    angle_deg: float = math.inf

    def is_reached(self, last_44: Pose44, next_44: Pose44) -> bool:
        """Return whether two poses are at least this far apart."""
        distance_m, angle_deg = pose_error(next_44, last_44)
        return distance_m >= self.distance_m or angle_deg >= self.angle_deg


DEFAULT_SPACING = Spacing(0.1, 5.0)  # as accurate as six keyframes a second, within 1 cm [method 2]


def parse_spacing(text: str) -> Spacing:
    """Parse a spacing such as 0.3m/15deg, 0.3m or 15deg. Raises SequenceError when the text is malformed."""
    found = [PART.fullmatch(part.strip()) for part in text.split("/")]
    values = {match[2]: float(match[1]) for match in found if match}
    if len(values) != len(found) or not all(values.values()):
        raise SequenceError(f"--every '{text}' is not a distance or angle; try 0.3m/15deg, 0.3m or 15deg")
    return Spacing(values.get("m", math.inf), values.get("deg", math.inf))


@dataclass(frozen=True)
class Selection:
    """Selected keyframes.

    indices: of the selected frames. left_out: number of frames without depth or pose for each reason.
    """

    indices: tuple[int, ...]
    left_out: dict[str, int]


def select_keyframes(sequence: FrameSequence, indices: Sequence[int], spacing: Spacing | None) -> Selection:
    """Return the frames of ``indices`` that are ``spacing`` apart, or all of ``indices`` when ``spacing`` is None.

    Raises SequenceError when no frame has depth and pose.
    """
    return Selection(tuple(indices), {}) if spacing is None else select_by_motion(sequence, indices, spacing)


def choose_spacing(every: str | None, frames: str | None) -> Spacing | None:
    """Return the spacing for the options --every and --frames, None for --frames alone, which selects all its frames.

    Raises SequenceError when ``every`` is malformed.
    """
    if every is not None:
        return parse_spacing(every)
    return DEFAULT_SPACING if frames is None else None


def select_by_motion(sequence: FrameSequence, indices: Sequence[int], spacing: Spacing) -> Selection:
    """Return the frames with depth and pose that are ``spacing`` apart; images are not decoded.

    Raises SequenceError when no frame has depth and pose.
    """
    selected: list[int] = []
    left_out: Counter[str] = Counter()
    last_44: Pose44 | None = None
    for index in indices:
        header = sequence.header(index)
        if header.missing or header.map_T_camera is None:
            left_out.update(header.missing or ["no pose"])
        elif last_44 is None or spacing.is_reached(last_44, header.map_T_camera):
            selected.append(index)
            last_44 = header.map_T_camera
    if not selected:
        raise SequenceError(no_usable_frame(sequence.name, len(indices), left_out))
    return Selection(tuple(selected), dict(left_out))


def no_usable_frame(name: str, count: int, left_out: Mapping[str, int]) -> str:
    """Return the error message for a sequence in which no frame can be a keyframe, with the most common reasons."""
    commonest = Counter(left_out).most_common(MAX_LISTED_REASONS)
    reasons = "; ".join(f"{number} {reason}" for reason, number in commonest)
    return f"{name}: {count} of {count} frames cannot be used: {reasons}; a map needs image, depth and pose"
