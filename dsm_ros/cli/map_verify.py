"""dsm map verify"""

from __future__ import annotations

from typing import Annotated

import typer

from dsm_ros.errors import MapError


def verify(map_uri: Annotated[str, typer.Argument(metavar="MAP")]) -> None:
    """Read every row of a map and check it: images, poses, features, whether neighbours fit together.

    Example: dsm map verify kitchen.map
    """
    from dsm_ros.progress import progress_bar
    from dsm_ros.scene_map.verify import find_problems

    with progress_bar("verifying") as on_progress:
        findings = find_problems(map_uri, on_progress)
    for line in (*findings.problems, *(f"note: {remark}" for remark in findings.remarks)):
        typer.echo(line)
    if findings.problems:
        raise MapError(f"{map_uri} has {len(findings.problems)} problem(s)")
    typer.echo(f"{map_uri}: sound")
