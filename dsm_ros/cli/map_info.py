"""dsm map info"""

from __future__ import annotations

import json
from typing import Annotated

import typer


def info(
    map_uri: Annotated[str, typer.Argument(metavar="MAP")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what a map holds.

    Example: dsm map info kitchen.map
    """
    from dsm_ros.scene_map.statistics import map_statistics

    figures = map_statistics(map_uri)
    if as_json:
        typer.echo(json.dumps(figures, indent=2))
        return
    for name, value in figures.items():
        typer.echo(f"{name:24} {value}")
