"""Text files whose rows begin with a time stamp: lists of image files, and poses, as of TUM RGB-D."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from dsm_ros.datasets.text_table import NUMBER, parse_number, read_table, shown
from dsm_ros.errors import SequenceError
from dsm_ros.geometry.pose import Pose44, pose_from_quaternion

Value = TypeVar("Value")

NS_PER_UNIT = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1000, "ns": 1}
FIRST_OF_UNIT = {"s": 0, "ms": 10**11, "us": 10**14, "ns": 10**17}  # of times of this century, in each unit
LATEST_NS = 2**63
POSE_COLUMNS = (7, 8)  # RTAB-Map adds the number of the node
CUT_NORM = 1e-3  # a whole quaternion is nearer to 1, one that lost digits is not
MAX_DISTANCE_M = 1e9


@dataclass(frozen=True)
class StampedRows(Generic[Value]):
    """Rows in the order of their stamps, the last of each stamp; warnings: what was left out or taken for granted."""

    stamps_ns: list[int]
    values: list[Value]
    unit: str
    warnings: tuple[str, ...]


class PoseRow(NamedTuple):
    """A pose, None where tracking was lost, and the norm of its quaternion as written."""

    map_T_camera: Pose44 | None
    norm: float


def read_file_list(path: Path) -> StampedRows[str]:
    """Return the file names of rows "stamp file", spaces within the names kept.

    Raises SequenceError with file and line. A last row that was cut is left out, with a warning.
    """
    return _read_stamped(path, str, lambda name: locate(path.parent, name).is_file())


def read_poses(path: Path) -> StampedRows[PoseRow]:
    """Return the camera-to-world poses of rows "stamp tx ty tz qx qy qz qw" (m); None for NaN, infinity and zeros.

    Raises SequenceError with file and line. A last row that was cut is left out, with a warning.
    """
    return _read_stamped(path, _parse_pose, lambda row: row.map_T_camera is None or abs(row.norm - 1) < CUT_NORM)


def locate(folder: Path, name: str) -> Path:
    """Return the file that a list names: all of the text, or its first word where other columns follow."""
    for candidate in (name, name.replace("\\", "/"), name.split()[0]):
        if "\0" not in candidate and len(candidate) < 1000 and (folder / candidate).is_file():
            return folder / candidate
    return folder / shown(name)


def _read_stamped(path: Path, parse: Callable[[str], Value], is_whole: Callable[[Value], bool]) -> StampedRows[Value]:
    def parse_row(text: str) -> tuple[Decimal, Value]:
        stamp, rest = _split_stamp(text)
        return stamp, parse(rest)

    table = read_table(path, parse_row, lambda row: is_whole(row[1]))
    unit = _unit(path, [stamp for stamp, _ in table.rows])
    of_stamp = {int(stamp * NS_PER_UNIT[unit]): value for stamp, value in table.rows}
    warnings = [f"{path.name}: its last row was left out: {table.cut}"] if table.cut else []
    if unit != "s":
        warnings.append(f"{path.name}: its stamps are read as {unit}; seconds are usual")
    if repeated := len(table.rows) - len(of_stamp):
        warnings.append(f"{path.name}: {repeated} rows repeat the stamp of another; the last of each is used")
    stamps_ns = sorted(of_stamp)
    return StampedRows(stamps_ns, [of_stamp[stamp_ns] for stamp_ns in stamps_ns], unit, tuple(warnings))


def _split_stamp(text: str) -> tuple[Decimal, str]:
    first, *rest = re.split(r"\s+", text, maxsplit=1)
    if re.search(r"[,;]", first):
        raise ValueError(f"'{shown(first)}' is no stamp; separate values by spaces")
    if not NUMBER.fullmatch(first):
        raise ValueError(f"'{shown(first)}' is no stamp")
    stamp = Decimal(first)
    if not 0 <= stamp < LATEST_NS:
        raise ValueError(f"'{shown(first)}' is no time since a start")
    if not rest:
        raise ValueError(f"nothing follows the stamp '{shown(first)}'")
    return stamp, rest[0]


def _unit(path: Path, stamps: list[Decimal]) -> str:
    """Return the unit of a file's stamps: of those of today, seconds have 10 digits and nanoseconds 19."""
    if not stamps:
        return "s"
    first, last = min(stamps), max(stamps)
    unit = _unit_of(last)
    if _unit_of(first) != unit or last * NS_PER_UNIT[unit] >= LATEST_NS:
        raise SequenceError(f"{path}: its stamps {first} to {last} are not all of one unit of time; write seconds")
    return unit


def _unit_of(stamp: Decimal) -> str:
    return max((unit for unit, first in FIRST_OF_UNIT.items() if stamp >= first), key=lambda unit: FIRST_OF_UNIT[unit])


def _parse_pose(text: str) -> PoseRow:
    fields = text.split()
    if len(fields) not in POSE_COLUMNS:
        raise ValueError(f"{len(fields)} values follow the stamp, not the 7 of a pose, tx ty tz qx qy qz qw")
    numbers = np.array([parse_number(field) for field in fields[:7]])
    if not np.isfinite(numbers).all() or not numbers[3:].any():
        return PoseRow(None, 0.0)
    if np.abs(numbers[:3]).max() > MAX_DISTANCE_M:
        raise ValueError(f"'{shown(text)}' is a position beyond {MAX_DISTANCE_M:g} m")
    return PoseRow(pose_from_quaternion(numbers[:3], numbers[3:]), float(np.linalg.norm(numbers[3:])))
