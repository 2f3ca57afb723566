"""dsm bench"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dsm_ros.cli.bench_options import numbers, peer_names
from dsm_ros.cli.options import Device, Model, NetworkRuntime
from dsm_ros.network.runtime import Runtime

if TYPE_CHECKING:
    from dsm_ros.evaluation.bench_sweep import Case
    from dsm_ros.evaluation.timings import Timing

MEASURE_ROS = "dsm_ros.demo.ros_bench"  # a process of its own: the command line knows no ROS
MAX_SLOWDOWN = 3.0  # of the total beside busy processes
NEEDED = ("rclpy", "dsm_ros.msg")
NetworkSource = tuple[Path | None, str, Runtime]  # what load_network takes


@dataclass(frozen=True)
class Measured:
    """Figures as JSON, and how to show and draw them."""

    figures: dict[str, object]
    show: Callable[[], None]
    draw: Callable[[Path], object] = lambda folder: None


def bench(
    map_uri: Annotated[str | None, typer.Argument(metavar="[MAP", help="Compare with peers in this map ...")] = None,
    sequence: Annotated[str | None, typer.Argument(metavar="SEQUENCE]", help="... on these images.")] = None,
    frames: Annotated[str | None, typer.Option(help="START:STOP:STEP of SEQUENCE.")] = None,
    peers: Annotated[str, typer.Option(help="Whom to compare with.")] = "sift,xfeat,aliked+lightglue",
    keyframes: Annotated[str, typer.Option(help="Keyframes in the map.")] = "10,100,1000,10000,100000",
    images: Annotated[str, typer.Option(help="N, keyframes matched.")] = "5,10,20",
    sizes: Annotated[str, typer.Option(help="Long side of the network's input, px.")] = "384,512,640",
    model: Model = None,
    runtime: NetworkRuntime = Runtime.TORCH,
    device: Device = "cpu",
    beside: Annotated[int, typer.Option(help="Also measure beside this many busy processes.", min=0, max=256)] = 0,
    ros: Annotated[bool, typer.Option("--ros", help="What the ROS node adds to each image.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures here; - for stdout.")] = None,
    plots: Annotated[Path | None, typer.Option(help="Folder for plots.")] = None,
) -> None:
    """Measure time per image and memory: in a rendered room, its map enlarged; or beside peers, on your images.

    Examples: dsm bench --json stages.json --plots plots

    dsm bench kitchen.map kitchen/seq-01 --frames 280:500:2

    dsm bench --ros
    """
    from dsm_ros.cli.output import give_figures, require_writable_json

    require_writable_json(json_file)
    if ros:
        measured = measure_ros()
    elif map_uri:
        measured = measure_peers(map_uri, sequence, frames, peers, (model, device, runtime))
    else:
        measured = measure_room(keyframes, images, sizes, (model, device, runtime), beside)
    give_figures(measured.figures, json_file, measured.show)
    if plots:
        measured.draw(plots)


def measure_ros() -> Measured:
    """Let the node's own program measure; it says itself what went wrong. Raises DsmError without ROS."""
    import subprocess
    from importlib.util import find_spec

    from dsm_ros.errors import DsmError
    from dsm_ros.evaluation.timings import Timing, print_timings

    if missing := [name for name in NEEDED if not find_spec(name)]:
        needs = f"bench --ros needs ROS 2 and this package's messages, and {missing[0]} is missing"
        raise DsmError(f"{needs}; source ROS and the workspace, or scripts/env.sh after make env")
    measured = subprocess.run([sys.executable, "-m", MEASURE_ROS], check=False, stdout=subprocess.PIPE, text=True)
    if measured.returncode:
        raise typer.Exit(measured.returncode)
    rows = json.loads(measured.stdout)
    return Measured({"ros": rows}, lambda: print_timings("what the node adds", [Timing(**row) for row in rows]))


def measure_room(keyframes: str, images: str, sizes: str, network: NetworkSource, beside: int) -> Measured:
    """Measure the stages in a room, then each setting."""
    from tempfile import TemporaryDirectory

    from dsm_ros.evaluation.bench_plots import plot_sweep
    from dsm_ros.evaluation.bench_sweep import Case, cases, sweep
    from dsm_ros.evaluation.bench_tables import print_sweep
    from dsm_ros.evaluation.timings import print_timings
    from dsm_ros.progress import progress_bar

    varied = numbers(keyframes, "keyframes"), numbers(images, "images"), numbers(sizes, "sizes")
    settings = cases(*varied, Case(0, 0, 0, *network))
    stages = measure_stages(settings[0], beside)
    with TemporaryDirectory() as folder, progress_bar("measuring") as on_progress:
        rows = sweep(settings, Path(folder), on_progress)

    def show() -> None:
        print_timings("the localizer's stages", stages)
        print_sweep(rows)

    figures: dict[str, object] = {"stages": [asdict(row) for row in stages], "sweep": [asdict(row) for row in rows]}
    return Measured(figures, show, lambda folder: plot_sweep(rows, folder))


def measure_stages(case: Case, beside: int) -> list[Timing]:
    """Localize frames of a room and return the time of each stage, and the total beside busy processes."""
    from tempfile import TemporaryDirectory

    from dsm_ros.evaluation.bench_room import build_bench_room
    from dsm_ros.evaluation.busy_processes import busy_processes
    from dsm_ros.evaluation.timings import timing
    from dsm_ros.localization.localizer import Localizer
    from dsm_ros.localization.view import single_view
    from dsm_ros.progress import progress_bar
    from dsm_ros.scene_map.scene_map import SceneMap

    network = case.load_network()
    with TemporaryDirectory() as folder, progress_bar("the room") as on_progress:
        frames = build_bench_room(Path(folder) / "map", network, on_progress)
        localizer = Localizer(SceneMap.open(str(Path(folder) / "map"), network.model_hash, case.device), network)

        def times_ms() -> list[dict[str, float]]:
            views = [(single_view(frame.image_HW3, frame.camera), frame.stamp_ns) for frame in frames]
            return [asdict(localizer.localize(*view).times_ms) for view in views]

        quiet = times_ms()[1:]  # the first image pays for what is set up once
        with busy_processes(beside):
            busy = times_ms() if beside else []
    rows = [timing(stage, [row[stage] for row in quiet]) for stage in quiet[0]]
    if busy:
        limit_ms = MAX_SLOWDOWN * rows[-1].median_ms
        rows.append(timing(f"total beside {beside} busy processes", [row["total"] for row in busy], limit_ms))
    return rows


def measure_peers(
    map_uri: str, sequence: str | None, frames: str | None, peers: str, network: NetworkSource
) -> Measured:
    """Localize the frames of a sequence by ours and by others."""
    from dsm_ros.cli.localizer_inputs import open_session
    from dsm_ros.datasets.source_options import DEFAULT_SOURCES
    from dsm_ros.errors import DsmError
    from dsm_ros.evaluation.bench_peers import compare
    from dsm_ros.evaluation.bench_plots import plot_peers
    from dsm_ros.evaluation.bench_tables import print_peers
    from dsm_ros.network.checkpoint import load_network
    from dsm_ros.progress import progress_bar

    if not sequence:
        raise DsmError("bench MAP needs a sequence with true poses: dsm bench MAP SEQUENCE")
    names = peer_names(peers)
    localizer, opened, indices = open_session(
        map_uri, sequence, DEFAULT_SOURCES, frames, single=False, load=partial(load_network, *network)
    )
    with progress_bar("comparing") as on_progress:
        rows = compare(localizer, opened, indices, names, on_progress)
    figures: dict[str, object] = {"peers": [asdict(row) for row in rows]}
    return Measured(figures, lambda: print_peers(rows), lambda folder: plot_peers(rows, folder))
