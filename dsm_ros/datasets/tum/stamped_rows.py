"""Reading of text files whose rows start with a timestamp: lists of image files, and poses, as in TUM RGB-D."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

import numpy as np

from dsm_ros.datasets.text_file import NUMBER, parse_number, quoted
from dsm_ros.datasets.tum.text_table import read_table
from dsm_ros.errors import SequenceError
from dsm_ros.geometry.pose import Pose44, pose_from_quaternion

Value = TypeVar("Value")

NS_PER_UNIT = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1000, "ns": 1}
SMALLEST_OF_UNIT = {"s": 0, "ms": 10**11, "us": 10**14, "ns": 10**17}  # minimum of times of this century
LATEST_NS = 2**63
POSE_COLUMNS = (7, 8)  # RTAB-Map adds the id of the node
MAX_NORM_ERROR = 1e-3  # maximum error of a quaternion's norm; truncated digits cause a larger error
MAX_DISTANCE_M = 1e9


@dataclass(frozen=True)
class StampedRows(Generic[Value]):
    """Values in the order of their stamps; of rows with the same stamp, the last row is used.

    unit: unit of the stamps in the file. warnings: texts on omitted rows and on assumptions.
    """

    stamps_ns: list[int]
    values: list[Value]
    unit: str
    warnings: tuple[str, ...]


class PoseRow(NamedTuple):
    """A pose, None when tracking was lost, and the norm of its quaternion in the file."""

    map_T_camera: Pose44 | None
    norm: float


def read_file_list(path: Path) -> StampedRows[str]:
    """Return the file names in rows "timestamp file"; names may contain spaces.

    A truncated last row is left out with a warning. Raises SequenceError with file and line for an invalid row.
    """
    return _read_stamped(path, str, lambda name: locate(path.parent, name).is_file())


def read_poses(path: Path) -> StampedRows[PoseRow]:
    """Return the camera-to-world poses in rows "timestamp tx ty tz qx qy qz qw" (m); NaN, infinity and zeros are None.

    A truncated last row is left out with a warning. Raises SequenceError with file and line for an invalid row.
    """
    return _read_stamped(path, _parse_pose, lambda row: row.map_T_camera is None or abs(row.norm - 1) < MAX_NORM_ERROR)


def locate(folder: Path, name: str) -> Path:
    """Return the file that a row names: the whole text, or its first word when other columns follow."""
    for candidate in (name, name.replace("\\", "/"), name.split()[0]):
        if "\0" not in candidate and len(candidate) < 1000 and (folder / candidate).is_file():
            return folder / candidate
    return folder / quoted(name)


def _read_stamped(path: Path, parse: Callable[[str], Value], is_whole: Callable[[Value], bool]) -> StampedRows[Value]:
    def parse_row(text: str) -> tuple[Decimal, Value]:
        stamp, rest = _split_stamp(text)
        return stamp, parse(rest)

    table = read_table(path, parse_row, lambda row: is_whole(row[1]))
    unit = _unit(path, [stamp for stamp, _ in table.rows])
    of_stamp = {int(stamp * NS_PER_UNIT[unit]): value for stamp, value in table.rows}
    warnings = [f"{path.name}: the last row was left out: {table.truncated}"] if table.truncated else []
    if unit != "s":
        warnings.append(f"{path.name}: timestamps are read as {unit}; seconds are usual")
    if repeated := len(table.rows) - len(of_stamp):
        warnings.append(f"{path.name}: {repeated} rows repeat a timestamp; the last row of each timestamp is used")
    stamps_ns = sorted(of_stamp)
    return StampedRows(stamps_ns, [of_stamp[stamp_ns] for stamp_ns in stamps_ns], unit, tuple(warnings))


def _split_stamp(text: str) -> tuple[Decimal, str]:
    first, *rest = re.split(r"\s+", text, maxsplit=1)
    if re.search(r"[,;]", first):
        raise ValueError(f"'{quoted(first)}' is not a timestamp; separate the values by spaces")
    if not NUMBER.fullmatch(first):
        raise ValueError(f"'{quoted(first)}' is not a timestamp")
    stamp = Decimal(first)
    if not 0 <= stamp < LATEST_NS:
        raise ValueError(f"the timestamp '{quoted(first)}' is negative or too large")
    if not rest:
        raise ValueError(f"nothing follows the timestamp '{quoted(first)}'")
    return stamp, rest[0]


def _unit(path: Path, stamps: list[Decimal]) -> str:
    """Return the unit of a file's timestamps, judged by their size: seconds have 10 digits today, nanoseconds 19."""
    if not stamps:
        return "s"
    first, last = min(stamps), max(stamps)
    unit = _unit_of(last)
    if _unit_of(first) != unit or last * NS_PER_UNIT[unit] >= LATEST_NS:
        raise SequenceError(f"{path}: timestamps {first} to {last} are not in one unit; write all times in seconds")
    return unit


def _unit_of(stamp: Decimal) -> str:
    return next(unit for unit, smallest in reversed(SMALLEST_OF_UNIT.items()) if stamp >= smallest)


def _parse_pose(text: str) -> PoseRow:
    fields = text.split()
    if len(fields) not in POSE_COLUMNS:
        raise ValueError(f"{len(fields)} values follow the timestamp instead of 7: tx ty tz qx qy qz qw")
    numbers = np.array([parse_number(field) for field in fields[:7]])
    if not np.isfinite(numbers).all() or not numbers[3:].any():
        return PoseRow(None, 0.0)
    if np.abs(numbers[:3]).max() > MAX_DISTANCE_M:
        raise ValueError(f"the position in '{quoted(text)}' is beyond {MAX_DISTANCE_M:g} m")
    return PoseRow(pose_from_quaternion(numbers[:3], numbers[3:]), float(np.linalg.norm(numbers[3:])))
