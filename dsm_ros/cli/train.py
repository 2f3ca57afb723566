"""The command ``dsm train``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def train(
    preset: Annotated[str, typer.Argument(help="lite, paper, or the path of a recipe (.yaml).")],
    out: Annotated[Path, typer.Option(help="Folder for the weights, the training state and the losses.")] = Path(
        "out/train"
    ),
    resume: Annotated[bool, typer.Option(help="Continue the training run in --out.")] = False,
    textures: Annotated[Path | None, typer.Option(help="Folder of texture images for the rooms.")] = None,
    sequence: Annotated[
        list[str] | None, typer.Option(help="Recorded RGB-D sequence as additional training data; may be repeated.")
    ] = None,
    start: Annotated[Path | None, typer.Option(help="Initial weights of the whole network.")] = None,
    cache_rooms: Annotated[
        bool, typer.Option(help="Keep rendered rooms in --out for later steps, for machines with few cores.")
    ] = False,
    workers: Annotated[int, typer.Option(min=0, help="Number of processes that render training data.")] = 1,
) -> None:
    """Train the network on rendered rooms and recorded sequences.

    Examples: dsm train lite --textures textures --workers 8

    torchrun --nproc-per-node 4 -m dsm_ros train paper --out runs/paper
    """
    from dsm_ros.training.session import train_session

    trained = train_session(preset, out, resume, textures, sequence or [], start, cache_rooms, workers)
    if trained is None:
        return
    if trained.skipped:
        skipped = f"{trained.skipped} of {trained.steps} steps were skipped"
        typer.echo(f"warning: {skipped}, because their gradients were not finite", err=True)
    typer.echo(f"{trained.weights}: use these weights with --model {trained.weights}")
