"""Tables of refined poses, accepted or rejected, with their inlier counts and true errors, as CSV files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dsm_ros.datasets.frame import Frame
from dsm_ros.datasets.open_sequence import open_sequence
from dsm_ros.errors import SequenceError
from dsm_ros.evaluation.metrics import GROSS_M
from dsm_ros.files import write_whole
from dsm_ros.geometry.pose import Pose44, pose_error
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.covariance import position_deviation_m
from dsm_ros.localization.localizer import Localizer
from dsm_ros.localization.verification import Accepted, precise_ratio
from dsm_ros.localization.view import single_view
from dsm_ros.network.dsm_net import DsmNet
from dsm_ros.scene_map.builder import build_map
from dsm_ros.scene_map.scene_map import SceneMap

RIGHT_M, RIGHT_DEG = 0.10, 5.0
EVERY_POSE = LocalizerConfig(min_inliers=4, min_confidence=0.0, temporal=False)
FIRST_AND_ALL = (EVERY_POSE.first_keyframes, EVERY_POSE.keyframes)  # the numbers of keyframes that are matched


@dataclass(frozen=True)
class EstimateRow:
    """One pose: map, place of the image, error, and support.

    error_m, error_deg: inf where the map does not contain the place. inliers, inlier_ratio, visible_inlier_ratio,
    followed_ratio: as of ``Support``. deviation_m: largest standard deviation of the position.
    """

    scenario: str
    place: str
    frame: int
    error_m: float
    error_deg: float
    inliers: int
    inlier_ratio: float
    visible_inlier_ratio: float
    followed_ratio: float
    deviation_m: float


def localizer_on(sequence: str, frames: range, folder: str, network: DsmNet) -> Localizer:
    """Build a map from frames of a sequence and return a localizer that accepts every pose."""
    uri = f"{folder}/map"
    build_map(open_sequence(sequence), frames, uri, network, "fit", append=False, on_progress=lambda done, total: None)
    return Localizer(SceneMap.open(uri, network.model_hash), network, EVERY_POSE)


def pose_rows(localizer: Localizer, scenario: str, place: str, frames: range, elsewhere: bool) -> Iterator[EstimateRow]:
    """Yield two poses of each frame, one from the keyframes matched first and one from all N keyframes.

    place: the sequence of the frames. elsewhere: whether the place is missing from the map. Frames without a pose
    yield no row. Raises SequenceError when the map contains the place and a frame has no true pose.
    """
    sequence = open_sequence(place)
    configs = [EVERY_POSE.with_keyframes(count) for count in FIRST_AND_ALL]
    localizers = [Localizer(localizer.scene_map, localizer.network, config) for config in configs]
    for index in frames:
        frame = sequence[index]
        views = single_view(frame.image_HW3, frame.camera)
        for each in localizers:
            verdict = each.find_pose(views, frame.stamp_ns)
            if isinstance(verdict, Accepted):
                errors = (np.inf, np.inf) if elsewhere else _errors(verdict.map_T_rig, frame)
                support, deviation_m = verdict.support, position_deviation_m(verdict.covariance_66)
                ratios = support.inlier_ratio, support.visible_inlier_ratio, support.followed_ratio
                yield EstimateRow(scenario, place, index, *errors, support.inliers, *ratios, deviation_m)


def _errors(map_T_camera: Pose44, frame: Frame) -> tuple[float, float]:
    if frame.map_T_camera is None:
        raise SequenceError(f"frame {frame.name} has no true pose; use a sequence with ground truth, or --elsewhere")
    return pose_error(map_T_camera, frame.map_T_camera)


def write_poses(rows: Iterator[EstimateRow], path: Path) -> None:
    """Write poses as CSV; an interruption leaves no partial file."""
    text = io.StringIO()
    table = csv.DictWriter(text, [field.name for field in fields(EstimateRow)])
    table.writeheader()
    table.writerows(asdict(row) for row in rows)
    write_whole(path, text.getvalue().encode())


@dataclass(frozen=True)
class Poses:
    """Support and true errors of poses.

    shares_N3: inlier_ratio, visible_inlier_ratio and precise_ratio. inliers_N: number of inliers. right_N: within
    10 cm and 5 degrees. gross_N: wrong by over 50 cm, or in a map of another place.
    """

    shares_N3: NDArray[np.float64]
    inliers_N: NDArray[np.float64]
    right_N: NDArray[np.bool_]
    gross_N: NDArray[np.bool_]


def read_poses(paths: Sequence[Path]) -> Poses:
    """Read the poses of several files. Raises SequenceError when the files contain no pose."""
    table = [row for path in sorted(paths) for row in csv.DictReader(path.read_text().splitlines())]
    if not table:
        raise SequenceError(f"no poses in {', '.join(map(str, paths))}; collect poses first")
    shares_N3 = np.array([_shares(row) for row in table])
    inliers_N, error_m, error_deg = (
        np.array([float(row[name]) for row in table]) for name in ("inliers", "error_m", "error_deg")
    )
    return Poses(shares_N3, inliers_N, (error_m < RIGHT_M) & (error_deg < RIGHT_DEG), error_m > GROSS_M)


def _shares(row: dict[str, str]) -> tuple[float, float, float]:
    precise = precise_ratio(float(row["followed_ratio"]), float(row["deviation_m"]))
    return float(row["inlier_ratio"]), float(row["visible_inlier_ratio"]), precise
