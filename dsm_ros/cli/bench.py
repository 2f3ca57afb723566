"""The command ``dsm bench``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dsm_ros.cli.bench_options import numbers, peer_names
from dsm_ros.cli.options import JsonFile, LocalizerOptions, Plots, with_options

if TYPE_CHECKING:
    from dsm_ros.evaluation.bench_sweep import Case
    from dsm_ros.evaluation.timings import Timing

MEASURE_ROS = "dsm_ros.demo.ros_bench"  # runs in a separate process, because the command line does not import ROS
NEEDED = ("rclpy", "dsm_ros.msg")


@dataclass(frozen=True)
class Measurement:
    """Metrics as JSON values, and functions that print and plot them."""

    metrics: dict[str, object]
    show: Callable[[], None]
    draw: Callable[[Path], object] = lambda folder: None


@dataclass(frozen=True)
class SweepOptions:
    """Options that vary the settings of the localizer, as comma-separated lists."""

    keyframes: Annotated[str, typer.Option(help="Numbers of keyframes in the map.")] = "10,100,1000,10000,100000"
    images: Annotated[str, typer.Option(help="Numbers of keyframes matched per image.")] = "5,10,20"
    sizes: Annotated[str, typer.Option(help="Long sides of the network's input, px.")] = "384,512,640"

    def cases(self, options: LocalizerOptions) -> list[Case]:
        """Return the settings to measure. Raises DsmError when a list is malformed."""
        from dsm_ros.evaluation.bench_sweep import Case, cases

        base = Case(0, 0, 0, options.model, options.device, options.runtime)
        return cases(
            numbers(self.keyframes, "keyframes"), numbers(self.images, "images"), numbers(self.sizes, "sizes"), base
        )


@with_options
def bench(
    sweep_options: SweepOptions,
    localizer_options: LocalizerOptions,
    map_uri: Annotated[str | None, typer.Argument(metavar="[MAP", help="Map for the comparison.")] = None,
    sequence: Annotated[str | None, typer.Argument(metavar="SEQUENCE]", help="Images for the comparison.")] = None,
    peers: Annotated[str, typer.Option(help="Methods to compare with.")] = "sift,xfeat,aliked+lightglue",
    ros: Annotated[bool, typer.Option("--ros", help="Measure the time that the ROS node adds per image.")] = False,
    json_file: JsonFile = None,
    plots: Plots = None,
) -> None:
    """Measure time per image and memory.

    Without MAP, the localizer runs in rendered rooms with maps of several sizes. With MAP and SEQUENCE, it is compared
    with other methods on the sequence's frames.

    Examples: dsm bench --json stages.json --plots plots

    dsm bench kitchen.map kitchen/seq-01 --frames 280:500:2

    dsm bench --ros
    """
    from dsm_ros.cli.output import require_writable_json, write_metrics

    require_writable_json(json_file)
    if ros:
        measured = measure_ros()
    elif map_uri:
        measured = measure_peers(map_uri, sequence, peers, localizer_options)
    else:
        measured = measure_room(sweep_options.cases(localizer_options))
    write_metrics(measured.metrics, json_file, measured.show)
    if plots:
        measured.draw(plots)


def measure_ros() -> Measurement:
    """Measure the node in a separate process, which prints its own errors. Raises DsmError without ROS."""
    import subprocess
    from importlib.util import find_spec

    from dsm_ros.errors import DsmError
    from dsm_ros.evaluation.timings import Timing, print_timings

    if missing := [name for name in NEEDED if not find_spec(name)]:
        needs = f"bench --ros needs ROS 2 and the messages of this package, but {missing[0]} is missing"
        raise DsmError(f"{needs}; source ROS and the workspace, or run make env and source scripts/env.sh")
    measured = subprocess.run([sys.executable, "-m", MEASURE_ROS], check=False, stdout=subprocess.PIPE, text=True)
    if measured.returncode:
        raise typer.Exit(measured.returncode)
    rows = json.loads(measured.stdout)
    return Measurement({"ros": rows}, lambda: print_timings("time added by the node", [Timing(**row) for row in rows]))


def measure_room(settings: list[Case]) -> Measurement:
    """Measure the stages of the first setting in a room, then all settings."""
    from tempfile import TemporaryDirectory

    from dsm_ros.evaluation.bench_plots import plot_sweep
    from dsm_ros.evaluation.bench_sweep import sweep
    from dsm_ros.evaluation.bench_tables import print_sweep
    from dsm_ros.evaluation.timings import print_timings
    from dsm_ros.progress import progress_bar

    stages = measure_stages(settings[0])
    with TemporaryDirectory() as folder, progress_bar("measuring") as on_progress:
        rows = sweep(settings, Path(folder), on_progress)

    def show() -> None:
        print_timings("stages of the localizer", stages)
        print_sweep(rows)

    metrics: dict[str, object] = {"stages": [asdict(row) for row in stages], "sweep": [asdict(row) for row in rows]}
    return Measurement(metrics, show, lambda folder: plot_sweep(rows, folder))


def measure_stages(case: Case) -> list[Timing]:
    """Localize frames of a room and return the timing of each stage."""
    from tempfile import TemporaryDirectory

    from dsm_ros.evaluation.bench_room import build_bench_room
    from dsm_ros.evaluation.timings import timing
    from dsm_ros.localization.localizer import Localizer
    from dsm_ros.localization.view import single_view
    from dsm_ros.progress import progress_bar
    from dsm_ros.scene_map.scene_map import SceneMap

    network = case.load_network()
    with TemporaryDirectory() as folder, progress_bar("building a map") as on_progress:
        frames = build_bench_room(Path(folder) / "map", network, on_progress)
        localizer = Localizer(SceneMap.open(str(Path(folder) / "map"), network.model_hash, case.device), network)
        views = [single_view(frame.image_HW3, frame.camera) for frame in frames]
        rows = [
            asdict(localizer.localize(view, frame.stamp_ns).times_ms) for view, frame in zip(views, frames, strict=True)
        ]
    warm = rows[1:]  # the first frame includes one-time initialisation
    return [timing(stage, [row[stage] for row in warm]) for stage in warm[0]]


def measure_peers(map_uri: str, sequence: str | None, peers: str, options: LocalizerOptions) -> Measurement:
    """Localize the frames of a sequence with this package and with other methods."""
    from dsm_ros.datasets.source_options import DEFAULT_SOURCES
    from dsm_ros.errors import DsmError
    from dsm_ros.evaluation.bench_peers import compare
    from dsm_ros.evaluation.bench_plots import plot_peers
    from dsm_ros.evaluation.bench_tables import print_peers
    from dsm_ros.progress import progress_bar

    if not sequence:
        raise DsmError("bench MAP needs a sequence with ground-truth poses; use: dsm bench MAP SEQUENCE")
    names = peer_names(peers)
    localizer, opened, indices = options.open(map_uri, sequence, DEFAULT_SOURCES)
    with progress_bar("comparing") as on_progress:
        rows = compare(localizer, opened, indices, names, on_progress)
    metrics: dict[str, object] = {"peers": [asdict(row) for row in rows]}
    return Measurement(metrics, lambda: print_peers(rows), lambda folder: plot_peers(rows, folder))
