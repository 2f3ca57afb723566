"""Measurements of ``dsm bench``: the node, the stages and settings of the localizer, and other methods."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from dsm_ros.cli.bench_options import peer_names
from dsm_ros.cli.options import LocalizerOptions
from dsm_ros.datasets.source_options import DEFAULT_SOURCES
from dsm_ros.errors import DsmError
from dsm_ros.evaluation.bench_peers import compare
from dsm_ros.evaluation.bench_plots import plot_peers, plot_sweep
from dsm_ros.evaluation.bench_room import VIDEO_FRAMES, bench_frames, build_bench_room
from dsm_ros.evaluation.bench_sweep import Case, sweep
from dsm_ros.evaluation.bench_tables import print_peers, print_sweep
from dsm_ros.evaluation.busy_processes import busy_processes
from dsm_ros.evaluation.timings import TimingRow, print_timings, timing
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.localizer import Localizer
from dsm_ros.localization.view import single_view
from dsm_ros.network.runtime import Runtime
from dsm_ros.progress import progress_bar
from dsm_ros.scene_map.scene_map import SceneMap

MEASURE_ROS = "dsm_ros.demo.ros_bench"  # runs in a separate process, because the command line does not import ROS
NEEDED = ("rclpy", "dsm_ros.msg")
MAX_SLOWDOWN = 3.0  # maximum factor of the total time beside busy processes


@dataclass(frozen=True)
class Measurement:
    """Metrics as JSON values, and functions that print and plot the metrics."""

    metrics: dict[str, object]
    show: Callable[[], None]
    draw: Callable[[Path], object] = lambda folder: None


def measure_ros() -> Measurement:
    """Measure the node in a separate process, which prints its own errors. Raises DsmError without ROS."""
    if missing := [name for name in NEEDED if not find_spec(name)]:
        needs = f"bench --ros needs ROS 2 and the messages of this package, but {missing[0]} is missing"
        raise DsmError(f"{needs}; source ROS and the workspace, or run make env and source scripts/env.sh")
    measured = subprocess.run([sys.executable, "-m", MEASURE_ROS], check=False, stdout=subprocess.PIPE, text=True)
    if measured.returncode:
        raise typer.Exit(measured.returncode)
    rows = json.loads(measured.stdout)
    return Measurement(
        {"ros": rows}, lambda: print_timings("time added by the node", [TimingRow(**row) for row in rows])
    )


def measure_room(settings: list[Case], beside: int) -> Measurement:
    """Measure the stages of the first setting in a room, also beside busy processes, then all settings."""
    first = settings[0]
    runtime, stages = measure_stages(first, beside)
    chosen = Runtime(runtime.split()[0])  # chosen once, because the choice loads other runtimes into the memory
    settings = [replace(case, runtime=chosen) for case in settings]
    with TemporaryDirectory() as folder, progress_bar("measuring") as on_progress:
        rows = sweep(settings, Path(folder), on_progress)

    def show() -> None:
        where = f"N = {first.keyframes}, long side {first.long_side_px} px, {runtime}"
        print_timings(f"stages of the localizer in a video, {where}", stages)
        print_sweep(rows)

    setting = {"runtime": runtime, "keyframes": first.keyframes, "long_side_px": first.long_side_px}
    metrics: dict[str, object] = {
        "stages": [asdict(row) | setting for row in stages],
        "sweep": [asdict(row) for row in rows],
    }
    return Measurement(metrics, show, lambda folder: plot_sweep(rows, folder))


def measure_stages(case: Case, beside: int) -> tuple[str, list[TimingRow]]:
    """Localize a video of a room; return the runtime and the timings of the stages, also beside busy processes."""
    network = case.load_network()
    with TemporaryDirectory() as folder:
        with progress_bar("building a map") as on_progress:
            build_bench_room(Path(folder) / "map", network, on_progress)
        scene_map = SceneMap.open(str(Path(folder) / "map"), network.model_hash, case.device)
        localizer = Localizer(scene_map, network, LocalizerConfig(keyframes=case.keyframes))
        video = [(single_view(frame.image_HW3, frame.camera), frame.stamp_ns) for frame in bench_frames(VIDEO_FRAMES)]

        def times_ms() -> list[dict[str, float]]:
            return [asdict(localizer.localize(*image).times_ms) for image in video]

        times_ms()  # reads the features and patches of the map
        quiet = times_ms()
        with busy_processes(beside):
            busy = times_ms() if beside else []
    rows = [timing(stage, [row[stage] for row in quiet]) for stage in quiet[0]]
    if busy:
        rows.append(busy_row(beside, [row["total"] for row in busy], rows[-1].median_ms))
    return network.runtime, rows


def busy_row(beside: int, times_ms: Sequence[float], quiet_ms: float) -> TimingRow:
    """Return the timing of images beside busy processes, whose limit is relative to the median without them."""
    name = f"total beside {beside} busy process{'es' * (beside > 1)}"
    return timing(name, times_ms, MAX_SLOWDOWN * quiet_ms)


def measure_peers(map_uri: str, sequence: str | None, peers: str, options: LocalizerOptions) -> Measurement:
    """Localize the frames of a sequence with this package and with other methods."""
    if not sequence:
        raise DsmError("bench MAP needs a sequence with ground-truth poses; use: dsm bench MAP SEQUENCE")
    names = peer_names(peers)
    localizer, opened, indices = options.open(map_uri, sequence, DEFAULT_SOURCES)
    with progress_bar("comparing") as on_progress:
        rows = compare(localizer, opened, indices, names, on_progress)
    runtime = localizer.network.runtime
    metrics: dict[str, object] = {"runtime": runtime, "peers": [asdict(row) for row in rows]}
    return Measurement(metrics, lambda: print_peers(rows, runtime), lambda folder: plot_peers(rows, folder))
