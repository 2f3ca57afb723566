"""dsm map build"""

from __future__ import annotations

from typing import Annotated

import typer

from dsm_ros.cli.options import Device, Model, NetworkRuntime
from dsm_ros.network.runtime import Runtime


def build(
    sequence: Annotated[str, typer.Argument(help="Folder, bag or rooms:SEED; with --refresh, the map itself.")],
    map_uri: Annotated[str, typer.Argument(metavar="MAP", help="Folder (or s3://...) of the map.")] = "",
    frames: Annotated[str | None, typer.Option(help="START:STOP:STEP, in sequence order.")] = None,
    session: Annotated[str, typer.Option(help="Name of this recording within the map.")] = "default",
    append: Annotated[bool, typer.Option(help="Add to an existing map.")] = False,
    model: Model = None,
    runtime: NetworkRuntime = Runtime.TORCH,
    device: Device = "cpu",
    refresh: Annotated[bool, typer.Option(help="Compute the features of a map again from its keyframes.")] = False,
) -> None:
    """Build a map from a posed RGB-D sequence.

    Examples: dsm map build kitchen/seq-01 kitchen.map --frames 0:220:5

    dsm map build rooms:7 room.map --frames ::5

    dsm map build --refresh kitchen.map
    """
    from dsm_ros.datasets.frame import parse_frames
    from dsm_ros.datasets.open_sequence import open_sequence
    from dsm_ros.network.checkpoint import load_network
    from dsm_ros.progress import progress_bar
    from dsm_ros.scene_map.builder import build_map, refresh_features
    from dsm_ros.scene_map.store import check_target

    if refresh:
        network = load_network(model, device, runtime)
        with progress_bar("refreshing") as on_progress:
            count = refresh_features(sequence, network, on_progress)
        typer.echo(f"{sequence}: features of {count} keyframes computed again")
        return
    if not map_uri:
        raise typer.BadParameter("name the map to build: dsm map build SEQUENCE MAP")
    check_target(map_uri, append)
    opened = open_sequence(sequence)
    indices = parse_frames(frames, len(opened))
    network = load_network(model, device, runtime)
    with progress_bar("building") as on_progress:
        report = build_map(opened, indices, map_uri, network, session, append, on_progress)
    skipped = f", {report.skipped} frames without depth or pose skipped" if report.skipped else ""
    typer.echo(f"{map_uri}: {report.added} keyframes added{skipped}")
