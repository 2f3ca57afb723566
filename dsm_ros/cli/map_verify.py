"""The command ``dsm map verify``."""

from __future__ import annotations

import typer

from dsm_ros.cli.options import MapUri
from dsm_ros.errors import MapError


def verify(map_uri: MapUri) -> None:
    """Check the images, poses and features of a map, and the consistency of neighbouring keyframes.

    Example: dsm map verify kitchen.map
    """
    from dsm_ros.progress import progress_bar
    from dsm_ros.scene_map.verify import find_problems

    with progress_bar("verifying") as on_progress:
        findings = find_problems(map_uri, on_progress)
    for line in (*findings.problems, *(f"note: {remark}" for remark in findings.remarks)):
        typer.echo(line)
    if findings.problems:
        count = len(findings.problems)
        raise MapError(f"the map {map_uri} has {count} problem{'s' * (count > 1)}; follow the advice above")
    typer.echo(f"{map_uri}: no problems found")
