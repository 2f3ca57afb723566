"""The command ``dsm map build``."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from dsm_ros.cli.options import AllSources, Frames, NetworkOptions, with_options
from dsm_ros.errors import MapError

if TYPE_CHECKING:
    from dsm_ros.datasets.description import Description
    from dsm_ros.datasets.frame import FrameSequence
    from dsm_ros.datasets.source_options import SourceOptions
    from dsm_ros.scene_map.builder import BuildReport
    from dsm_ros.scene_map.keyframe_spacing import Selection

FEW_KEYFRAMES = 3


@with_options
def build(
    sequence: Annotated[str, typer.Argument(help="Folder, bag or rooms:SEED; with --refresh, the map.")],
    network_options: NetworkOptions,
    sources: AllSources,
    map_uri: Annotated[str, typer.Argument(metavar="MAP", help="Folder of the map, or s3://BUCKET/NAME.")] = "",
    frames: Frames = None,
    every: Annotated[str | None, typer.Option(help="Spacing of keyframes: 0.3m/15deg, 0.3m or 15deg.")] = None,
    session: Annotated[str, typer.Option(help="Name of this recording within the map.")] = "default",
    append: Annotated[bool, typer.Option(help="Add the keyframes to an existing map.")] = False,
    refresh: Annotated[bool, typer.Option(help="Recompute the features of a map from its keyframes.")] = False,
) -> None:
    """Build a map from a sequence with colour, depth and poses.

    By default keyframes are 0.1 m or 5 degrees apart; --frames without --every takes exactly the given frames. A build
    that fails or is interrupted removes its keyframes; a build that is killed leaves its committed keyframes.

    Examples: dsm map build kitchen/seq-01 kitchen.map --every 0.3m/15deg

    dsm map build rooms:7 room.map --frames ::5

    dsm map build --refresh kitchen.map
    """
    from dsm_ros.progress import progress_bar
    from dsm_ros.scene_map.builder import build_map
    from dsm_ros.scene_map.location import check_target

    if refresh:
        refresh_map(sequence, network_options)
        return
    if not map_uri:
        raise MapError("the argument MAP is missing; give a folder for the map: dsm map build SEQUENCE MAP")
    check_target(map_uri, append)
    opened, indices, selection = open_and_select(sequence, sources.options(), frames, every)
    network = network_options.load()
    with progress_bar("building") as on_progress:
        report = build_map(opened, selection.indices, map_uri, network, session, append, on_progress)
    show_parts(opened.describe())
    show_report(map_uri, len(indices), report, selection.left_out)


def open_and_select(
    sequence: str, sources: SourceOptions, frames: str | None, every: str | None
) -> tuple[FrameSequence, range, Selection]:
    """Open a sequence; return the sequence, the indices of --frames, and the keyframes among these frames."""
    from dsm_ros.datasets.frame import parse_frames
    from dsm_ros.datasets.open_sequence import open_sequence
    from dsm_ros.progress import spinner
    from dsm_ros.scene_map.keyframe_spacing import choose_spacing, select_keyframes

    with spinner(f"opening {sequence}"):
        opened = open_sequence(sequence, sources)
    indices = parse_frames(frames, len(opened))
    with spinner("reading poses"):
        return opened, indices, select_keyframes(opened, indices, choose_spacing(every, frames))


def refresh_map(map_uri: str, network_options: NetworkOptions) -> None:
    """Recompute the features of a map from its keyframes."""
    from dsm_ros.progress import progress_bar
    from dsm_ros.scene_map.builder import refresh_features

    network = network_options.load()
    with progress_bar("refreshing") as on_progress:
        count = refresh_features(map_uri, network, on_progress)
    typer.echo(f"{map_uri}: features of {count} keyframes recomputed")


def show_report(map_uri: str, frames: int, report: BuildReport, incomplete: dict[str, int]) -> None:
    """Print the number of added keyframes, the number of frames left out for each reason, and warnings on stderr."""
    typer.echo(f"{map_uri}: {report.added} keyframes added from {frames} frames")
    for reason, count in (Counter(incomplete) + Counter(report.left_out)).most_common():
        typer.echo(f"  left out: {count} {reason}")
    if report.added < FEW_KEYFRAMES:
        problem = f"only {report.added} keyframe{'s' if report.added > 1 else ''} in this recording"
        advice = "images can be localized only where they overlap a keyframe; add keyframes with --every or --frames"
        typer.echo(f"warning: {problem}; {advice}", err=True)
    if report.contradiction:
        typer.echo(f"warning: {report.contradiction}", err=True)


def show_parts(description: Description) -> None:
    """Print the source of each part of a recording on one line, and warnings on stderr."""
    for part in description.parts:
        typer.echo(f"  {part.what}: {part.source or 'none'}; {part.detail}")
    for warning in description.warnings:
        typer.echo(f"warning: {warning}", err=True)
