"""The command ``dsm rooms``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def rooms(
    out: Annotated[Path, typer.Argument(help="New folder, which is written in the layout of 7-Scenes.")],
    seed: Annotated[int, typer.Option(help="Number of the room; different numbers give different rooms.")] = 0,
    options: Annotated[
        str, typer.Option(help="Options of the room: KEY=VALUE, separated by commas, with the keys listed above.")
    ] = "",
) -> None:
    """Render a walk through a procedural room to files with images, exact depth and exact poses.

    A walk is a closed camera path. All commands also accept rooms:SEED/OPTIONS as SEQUENCE, which gives the same frames
    without files.

    \b
    furnished=1        photographed textures and the furniture of a living room
    walk=0..3          which of four walks through the same room
    frames=300         number of frames on the walk
    size=640x480       image size (px)
    clutter=16         maximum number of pieces of furniture
    blank=1            plain walls
    repeat=1           four textures everywhere (not with furnished=1)
    exposure, noise, blur=0..10   strength of image effects; 1 is like a cheap camera

    Example: dsm rooms room7 --seed 7 --options furnished=1,walk=1,frames=100
    """
    from dsm_ros.datasets.rooms.sequence import open_rooms
    from dsm_ros.datasets.seven_scenes.writer import write_sequence
    from dsm_ros.errors import SequenceError
    from dsm_ros.progress import progress_bar

    if out.exists():
        raise SequenceError(f"{out} already exists; choose a new folder")
    sequence = open_rooms(f"rooms:{seed}" + (f"/{options}" if options else ""))
    with progress_bar("rendering") as on_progress:
        write_sequence(sequence, out, on_progress)
    typer.echo(f"{out}: {len(sequence)} frames")
