"""dsm inspect"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dsm_ros.cli.options import reads_sequence
from dsm_ros.datasets.source_options import SourceOptions

if TYPE_CHECKING:
    from dsm_ros.datasets.inspection import Inspection


@reads_sequence
def inspect(
    sequence: Annotated[str, typer.Argument(help="Folder, bag or rooms:SEED.")],
    sources: SourceOptions,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures here; - for stdout.")] = None,
) -> None:
    """Show what would be read of a recording: images, camera, depth, poses, and what is missing for how many frames.

    Examples: dsm inspect my_recording

    dsm inspect my_recording --pose /mocap/pose --depth /camera/aligned_depth_to_color/image_raw
    """
    from dsm_ros.cli.output import give_figures, require_writable_json
    from dsm_ros.datasets.inspection import inspect_sequence
    from dsm_ros.datasets.open_sequence import open_sequence
    from dsm_ros.progress import progress_bar, spinner

    require_writable_json(json_file)
    with spinner(f"opening {sequence}"):
        opened = open_sequence(sequence, sources)
    with progress_bar("reading") as on_progress:
        inspection = inspect_sequence(opened, on_progress)
    give_figures(inspection.figures(), json_file, lambda: show(inspection))


def show(inspection: Inspection) -> None:
    """Print what is read as a table, then counts and warnings."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(show_lines=True)
    for name in ("part", "read from", "details", "to read something else"):
        table.add_column(name, overflow="fold")
    for part in inspection.description.parts:
        source = escape(part.source) if part.source else "[red]none[/red]"
        table.add_row(part.what, source, escape(part.detail), escape(part.change))
    console = Console()
    console.print(table)
    for line in inspection.lines():
        console.print(escape(line), soft_wrap=True)
