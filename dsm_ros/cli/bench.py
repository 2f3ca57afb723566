"""The command ``dsm bench``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from dsm_ros.cli.bench_options import PEERS, ROS, mode_of, numbers
from dsm_ros.cli.options import RUNTIME_HELP, JsonFile, LocalizerOptions, Plots, with_options
from dsm_ros.network.runtime import Runtime

if TYPE_CHECKING:
    from dsm_ros.evaluation.bench_sweep import Case


# Limits that keep a typing error from filling the memory of the computer.
MAX_MAP_KEYFRAMES, MAX_KEYFRAMES, MAX_SIZE_PX = 1_000_000, 100, 1280


@dataclass(frozen=True)
class BenchOptions(LocalizerOptions):
    """Options of the localizer, whose runtime is the fastest by default, as in the node."""

    runtime: Annotated[Runtime, typer.Option(help=RUNTIME_HELP)] = Runtime.FASTEST


@dataclass(frozen=True)
class SweepOptions:
    """Options that vary the settings of the localizer, as comma-separated lists."""

    map_keyframes: Annotated[str, typer.Option(help="Numbers of keyframes in the map.")] = "10,100,1000,10000,100000"
    keyframes: Annotated[str, typer.Option(help="Numbers N of keyframes that are matched with each image.")] = "5,10,20"
    sizes: Annotated[str, typer.Option(help=f"Long sides of the network's input (px), at most {MAX_SIZE_PX}.")] = (
        "384,512,640"
    )

    def cases(self, options: LocalizerOptions) -> list[Case]:
        """Return the settings to measure. Raises DsmError when a list is malformed or exceeds a limit."""
        from dsm_ros.evaluation.bench_sweep import Case, cases

        map_keyframes = numbers(self.map_keyframes, "map-keyframes", SweepOptions.map_keyframes, MAX_MAP_KEYFRAMES)
        keyframes = numbers(self.keyframes, "keyframes", SweepOptions.keyframes, MAX_KEYFRAMES)
        sizes = numbers(self.sizes, "sizes", SweepOptions.sizes, MAX_SIZE_PX)
        base = Case(0, 0, 0, options.model, options.device, options.runtime)
        return cases(map_keyframes, keyframes, sizes, base)


@with_options
def bench(
    context: typer.Context,
    sweep_options: SweepOptions,
    localizer_options: BenchOptions,
    map_uri: Annotated[str | None, typer.Argument(metavar="[MAP", help="Map for the comparison.")] = None,
    sequence: Annotated[str | None, typer.Argument(metavar="SEQUENCE]", help="Images for the comparison.")] = None,
    peers: Annotated[str, typer.Option(help="Methods to compare with.")] = "sift,xfeat,aliked+lightglue",
    beside: Annotated[int, typer.Option(help="Also measure with this number of busy processes.", min=0, max=256)] = 0,
    ros: Annotated[bool, typer.Option("--ros", help="Measure the time that the ROS node adds to each image.")] = False,
    json_file: JsonFile = None,
    plots: Plots = None,
) -> None:
    """Measure time per image and memory.

    Without MAP, the localizer runs in a rendered room: in a video, with the middle values of --keyframes and --sizes,
    and then on single images with all values. With MAP and SEQUENCE, the localizer is compared with other methods on
    the frames of the sequence. An option that the chosen measurement does not use is an error.

    Examples: dsm bench --json stages.json --plots plots

    dsm bench kitchen.map kitchen/seq-01 --frames 280:500:2

    dsm bench --ros
    """
    from dsm_ros.cli.bench_measurements import measure_peers, measure_room, measure_ros
    from dsm_ros.cli.output import require_writable_json, require_writable_plots, write_metrics

    mode = mode_of(context)
    require_writable_json(json_file)
    require_writable_plots(plots)
    if mode == ROS:
        measured = measure_ros()
    elif mode == PEERS:
        measured = measure_peers(str(map_uri), sequence, peers, localizer_options)
    else:
        measured = measure_room(sweep_options.cases(localizer_options), beside)
    write_metrics(measured.metrics, json_file, measured.show)
    if plots:
        measured.draw(plots)
