"""dsm rooms"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def rooms(
    out: Annotated[Path, typer.Argument(help="New folder, in the layout of 7-Scenes.")],
    seed: Annotated[int, typer.Option(help="Which room.")] = 0,
    options: Annotated[str, typer.Option(help="As in rooms:SEED/OPTIONS, e.g. walk=1,frames=100,blur=1.")] = "",
) -> None:
    """Render a walk through a procedural room to files.

    Example: dsm rooms room7 --seed 7 --options walk=1,frames=100
    """
    from dsm_ros.datasets.rooms.sequence import open_rooms
    from dsm_ros.datasets.seven_scenes.writer import write_sequence
    from dsm_ros.errors import SequenceError
    from dsm_ros.progress import progress_bar

    if out.exists():
        raise SequenceError(f"{out} exists already; choose a new folder")
    sequence = open_rooms(f"rooms:{seed}" + (f"/{options}" if options else ""))
    with progress_bar("rendering") as on_progress:
        write_sequence(sequence, out, on_progress)
    typer.echo(f"{out}: {len(sequence)} frames")
