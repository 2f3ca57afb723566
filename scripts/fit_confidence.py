"""Fit the confidence of poses on rendered rooms, and check the fit on other rooms and recordings.

python scripts/fit_confidence.py rooms --out out/confidence
python scripts/fit_confidence.py recording desk.1 fr1_rpy 0:241:8 fr1_rpy 4:241:4 --out out/confidence
python scripts/fit_confidence.py recording desk.2 fr1_rpy 0:241:8 rooms:230 0:300:20 --elsewhere --out out/confidence
python scripts/fit_confidence.py fit --out out/confidence --plot docs/reliability.png

rooms localizes images of each room, and images of another room, in whole and partial maps of the room. The command
writes a CSV file for each room, with the evidence and the true error of each pose, and keeps existing files. recording
writes a file of this format for one map and one sequence (--elsewhere: a sequence of another place). The part of its
name before the dot names the set of the file. fit prints the weights for localization/config.py, and the calibration of
each set.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from dsm_ros.process import prepare_process, use_threads

prepare_process()  # before the imports of numpy and torch

import numpy as np
from numpy.typing import NDArray

from dsm_ros.evaluation.calibration import calibration_error, fit_log_odds, plot_reliability, probabilities, reliability
from dsm_ros.evaluation.pose_table import EstimateRow, Poses, localizer_on, pose_rows, read_poses, write_poses
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.network.checkpoint import load_network
from dsm_ros.network.dsm_net import DsmNet

FITTED_ROOMS, HELD_OUT_ROOMS = (200, 201), (202, 203, 210, 211)
OTHER_ROOM = 20  # difference between the seed of a room and the seed of another place
WHOLE, PART = range(0, 300, 10), range(0, 100, 10)
CAMERA_EFFECTS = ",exposure=1,noise=1,blur=1"
PRIOR = 0.1  # stabilises the weights of the correlated shares from one set of rooms to another


@dataclass(frozen=True)
class Queries:
    """Query images: the suffix of their sequence, their frames, and whether the map shows another place."""

    suffix: str
    frames: range
    elsewhere: bool = False


# Style of a room, frames of its map, and query images.
SCENARIOS: dict[str, tuple[str, range, tuple[Queries, ...]]] = {
    "plain": (
        "",
        WHOLE,
        (
            Queries("walk=1", range(5, 300, 40)),
            Queries("walk=2" + CAMERA_EFFECTS, range(15, 300, 40)),
            Queries("walk=0", range(0, 300, 40), True),
        ),
    ),
    "blank": (
        ",blank=1",
        WHOLE,
        (
            Queries("walk=1,blank=1,exposure=1,blur=1", range(5, 300, 20)),
            Queries("walk=2,blank=1", range(15, 300, 40)),
            Queries("walk=0,blank=1", range(0, 300, 25), True),
        ),
    ),
    "repeat": (
        ",repeat=1",
        WHOLE,
        (Queries("walk=1,repeat=1", range(5, 300, 40)), Queries("walk=0,repeat=1", range(0, 300, 40), True)),
    ),
    "part": ("", PART, (Queries("walk=1", range(5, 300, 20)),)),
    "blank part": (",blank=1", PART, (Queries("walk=1,blank=1", range(5, 300, 30)),)),
    "repeat part": (",repeat=1", PART, (Queries("walk=1,repeat=1", range(5, 300, 20)),)),
}


def room_rows(seed: int, network: DsmNet) -> Iterator[EstimateRow]:
    """Yield the poses of all query images in the maps of one room."""
    for name, (style, map_frames, queries) in SCENARIOS.items():
        with tempfile.TemporaryDirectory() as folder:
            localizer = localizer_on(f"rooms:{seed}/walk=0{style}", map_frames, folder, network)
            for each in queries:
                place = f"rooms:{seed + OTHER_ROOM * each.elsewhere}/{each.suffix}"
                yield from pose_rows(localizer, name, place, each.frames, each.elsewhere)


def collect_room(seed: int, out: Path) -> int:
    """Write the file of one room unless the file exists."""
    path = out / f"room_{seed}.csv"
    if not path.exists():
        use_threads(1)
        write_poses(room_rows(seed, load_network()), path)
    return seed


def collect_rooms(a: argparse.Namespace) -> None:
    """Write the files of all rooms, several rooms at a time."""
    a.out.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(a.workers, mp_context=get_context("spawn")) as pool:
        for seed in pool.map(collect_room, a.rooms, [a.out] * len(a.rooms)):
            print("room", seed, flush=True)


def collect_recording(a: argparse.Namespace) -> None:
    """Write the file of one recording in one map."""
    a.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        localizer = localizer_on(a.map_sequence, a.map_frames, folder, load_network())
        poses = pose_rows(localizer, a.map_sequence, a.sequence, a.frames, a.elsewhere)
        write_poses(poses, a.out / f"{a.name}.csv")


def sets_of(out: Path) -> dict[str, list[Path]]:
    """Return the files of each set: rooms fitted and held out, then recordings."""
    sets = {
        "rooms fitted": [out / f"room_{seed}.csv" for seed in FITTED_ROOMS],
        "rooms held out": [out / f"room_{seed}.csv" for seed in HELD_OUT_ROOMS],
    }
    for path in sorted(set(out.glob("*.csv")) - set(out.glob("room_*.csv"))):
        sets.setdefault(path.stem.partition(".")[0], []).append(path)
    return sets


def report(name: str, poses: Poses, weights_4: NDArray[np.float64]) -> str:
    """Return one data set's row of the table in docs/confidence.md; the default configuration verifies the poses."""
    config = LocalizerConfig()
    confidence_N = probabilities(poses.shares_N3, weights_4)
    accepted_N = (confidence_N >= config.min_confidence) & (poses.inliers_N >= config.min_inliers)
    error = calibration_error(reliability(confidence_N, poses.right_N))
    brier = float(np.mean((confidence_N - poses.right_N) ** 2))
    highest = confidence_N[poses.gross_N].max(initial=0.0)
    right = f"{int((accepted_N & poses.right_N).sum())} of {int(poses.right_N.sum())}"
    others = int((accepted_N & ~poses.right_N & ~poses.gross_N).sum())
    gross = f"{int((accepted_N & poses.gross_N).sum())} of {int(poses.gross_N.sum())}"
    return (
        f"| {name} | {len(confidence_N)} | {error:.3f} | {brier:.3f} | {right} | {others} | {gross} | {highest:.2f} |"
    )


def fit(a: argparse.Namespace) -> None:
    """Print the weights and the calibration of each set, and draw the reliability plot."""
    sets = {name: read_poses(paths) for name, paths in sets_of(a.out).items()}
    fitted = sets["rooms fitted"]
    weights_4 = fit_log_odds(fitted.shares_N3, fitted.right_N, PRIOR).round(2)
    print("bias {}, inlier_ratio {}, visible_inlier_ratio {}, precise_ratio {}".format(*weights_4))
    print("| set | poses | ECE | Brier | right accepted | within 50 cm accepted | gross accepted | highest gross |")
    for name, poses in sets.items():
        print(report(name, poses, weights_4))
    bins = {name: reliability(probabilities(p.shares_N3, weights_4), p.right_N) for name, p in sets.items()}
    plot_reliability(bins, a.plot)


def frame_range(text: str) -> range:
    """Return START:STOP:STEP as a range."""
    return range(*map(int, text.split(":")))


def arguments() -> argparse.Namespace:
    """Return the parsed command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    rooms = commands.add_parser("rooms")
    rooms.add_argument("--rooms", type=int, nargs="*", default=[*FITTED_ROOMS, *HELD_OUT_ROOMS])
    rooms.add_argument("--workers", type=int, default=2)
    recording = commands.add_parser("recording")
    recording.add_argument("name")
    recording.add_argument("map_sequence")
    recording.add_argument("map_frames", type=frame_range)
    recording.add_argument("sequence")
    recording.add_argument("frames", type=frame_range)
    recording.add_argument("--elsewhere", action="store_true")
    fitting = commands.add_parser("fit")
    fitting.add_argument("--plot", type=Path, required=True)
    for command, run in ((rooms, collect_rooms), (recording, collect_recording), (fitting, fit)):
        command.add_argument("--out", type=Path, required=True)
        command.set_defaults(run=run)
    return parser.parse_args()


if __name__ == "__main__":
    given = arguments()
    given.run(given)
