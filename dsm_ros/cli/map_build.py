"""dsm map build"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dsm_ros.cli.options import Device, Model, NetworkRuntime, reads_sequence
from dsm_ros.datasets.source_options import SourceOptions
from dsm_ros.errors import MapError
from dsm_ros.network.runtime import Runtime

if TYPE_CHECKING:
    from dsm_ros.datasets.description import Description
    from dsm_ros.scene_map.builder import BuildReport

FEW_KEYFRAMES = 3


@reads_sequence
def build(
    sequence: Annotated[str, typer.Argument(help="Folder, bag or rooms:SEED; with --refresh, the map itself.")],
    sources: SourceOptions,
    map_uri: Annotated[str, typer.Argument(metavar="MAP", help="Folder (or s3://...) of the map.")] = "",
    frames: Annotated[str | None, typer.Option(help="START:STOP:STEP, in sequence order.")] = None,
    every: Annotated[str | None, typer.Option(help="Keyframes this far apart: 0.3m/15deg, 0.3m or 15deg.")] = None,
    session: Annotated[str, typer.Option(help="Name of this recording within the map.")] = "default",
    append: Annotated[bool, typer.Option(help="Add to an existing map.")] = False,
    model: Model = None,
    runtime: NetworkRuntime = Runtime.TORCH,
    device: Device = "cpu",
    refresh: Annotated[bool, typer.Option(help="Compute the features of a map again from its keyframes.")] = False,
) -> None:
    """Build a map from a posed RGB-D sequence.

    Given neither --frames nor --every, keyframes are 0.1 m or 5 degrees apart; --frames alone takes exactly those.
    A build that fails or is interrupted takes back what it wrote; one that is killed leaves what it had committed.

    Examples: dsm map build kitchen/seq-01 kitchen.map --every 0.3m/15deg

    dsm map build rooms:7 room.map --frames ::5

    dsm map build --refresh kitchen.map
    """
    from dsm_ros.datasets.frame import parse_frames
    from dsm_ros.datasets.open_sequence import open_sequence
    from dsm_ros.network.checkpoint import load_network
    from dsm_ros.progress import progress_bar, spinner
    from dsm_ros.scene_map.builder import build_map
    from dsm_ros.scene_map.keyframe_spacing import choose_spacing, select_keyframes
    from dsm_ros.scene_map.location import check_target

    if refresh:
        refresh_map(sequence, model, device, runtime)
        return
    if not map_uri:
        raise MapError("name the map to build: dsm map build SEQUENCE MAP")
    check_target(map_uri, append)
    with spinner(f"opening {sequence}"):
        opened = open_sequence(sequence, sources)
    looked_at = parse_frames(frames, len(opened))
    with spinner("reading poses"):
        selection = select_keyframes(opened, looked_at, choose_spacing(every, frames))
    network = load_network(model, device, runtime)
    with progress_bar("building") as on_progress:
        report = build_map(opened, selection.indices, map_uri, network, session, append, on_progress)
    show_parts(opened.describe())
    show_report(map_uri, len(looked_at), report, selection.left_out)


def refresh_map(map_uri: str, model: Path | None, device: str, runtime: Runtime) -> None:
    """Compute the features of a map again from its keyframes."""
    from dsm_ros.network.checkpoint import load_network
    from dsm_ros.progress import progress_bar
    from dsm_ros.scene_map.builder import refresh_features

    network = load_network(model, device, runtime)
    with progress_bar("refreshing") as on_progress:
        count = refresh_features(map_uri, network, on_progress)
    typer.echo(f"{map_uri}: features of {count} keyframes computed again")


def show_report(map_uri: str, looked_at: int, report: BuildReport, never_read: dict[str, int]) -> None:
    """Print how many frames became keyframes and why others did not; contradictions on stderr."""
    typer.echo(f"{map_uri}: {report.added} keyframes added of {looked_at} frames looked at")
    for reason, count in (Counter(never_read) + Counter(report.left_out)).most_common():
        typer.echo(f"  left out: {count} {reason}")
    if report.added < FEW_KEYFRAMES:
        told = f"only {report.added} keyframe{'s' if report.added > 1 else ''}: an image must see what one of them sees"
        typer.echo(f"warning: {told}; take more with --every or --frames", err=True)
    if report.contradiction:
        typer.echo(f"warning: {report.contradiction}", err=True)


def show_parts(description: Description) -> None:
    """Print where the parts of a recording come from, one a line; warnings on stderr."""
    for part in description.parts:
        typer.echo(f"  {part.what}: {part.source or 'none'}; {part.detail}")
    for warning in description.warnings:
        typer.echo(f"warning: {warning}", err=True)
