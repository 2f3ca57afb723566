"""The command ``dsm map info``."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from dsm_ros.cli.options import MapUri


def info(
    map_uri: MapUri,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the statistics of a map: keyframes, sessions, networks whose features are stored, extent and size.

    Example: dsm map info kitchen.map
    """
    from dsm_ros.scene_map.statistics import map_statistics

    statistics = map_statistics(map_uri)
    if as_json:
        typer.echo(json.dumps(statistics, indent=2))
        return
    for name, value in statistics.items():
        typer.echo(f"{name:24} {value}")
