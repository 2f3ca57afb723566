"""The command ``dsm inspect``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dsm_ros.cli.options import AllSources, JsonFile, SequencePath, with_options

if TYPE_CHECKING:
    from dsm_ros.datasets.inspection import Inspection


@with_options
def inspect(sequence: SequencePath, sources: AllSources, json_file: JsonFile = None) -> None:
    """Show which images, camera, depth and poses would be read from a recording, and count incomplete frames.

    Examples: dsm inspect my_recording

    dsm inspect my_recording --pose /mocap/pose --depth /camera/aligned_depth_to_color/image_raw
    """
    from dsm_ros.cli.output import require_writable_json, write_metrics
    from dsm_ros.datasets.inspection import inspect_sequence
    from dsm_ros.datasets.open_sequence import open_sequence
    from dsm_ros.progress import progress_bar, spinner

    require_writable_json(json_file)
    with spinner(f"opening {sequence}"):
        opened = open_sequence(sequence, sources.options())
    with progress_bar("reading") as on_progress:
        inspection = inspect_sequence(opened, on_progress)
    write_metrics(inspection.figures(), json_file, lambda: show(inspection))


def show(inspection: Inspection) -> None:
    """Print the parts of a recording as a table, then counts and warnings."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(show_lines=True)
    for name in ("part", "source", "details", "alternatives"):
        table.add_column(name, overflow="fold")
    for part in inspection.description.parts:
        source = escape(part.source) if part.source else "[red]none[/red]"
        table.add_row(part.what, source, escape(part.detail), escape(part.change))
    console = Console()
    console.print(table)
    for line in inspection.lines():
        console.print(escape(line), soft_wrap=True)
