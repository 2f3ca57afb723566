"""dsm train"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def train(
    preset: Annotated[str, typer.Argument(help="lite, paper, or the path of a recipe (.yaml).")],
    out: Annotated[Path, typer.Option(help="Folder of the run: weights, state, curves.")] = Path("out/train"),
    resume: Annotated[bool, typer.Option(help="Go on with the run in --out.")] = False,
    textures: Annotated[Path | None, typer.Option(help="Folder of images to cover the rooms with.")] = None,
    sequence: Annotated[list[str] | None, typer.Option(help="RGB-D sequence to learn from too; repeatable.")] = None,
    start: Annotated[Path | None, typer.Option(help="Start from these weights as a whole.")] = None,
    keep: Annotated[bool, typer.Option(help="Keep rendered rooms in --out: for few CPU cores.")] = False,
    workers: Annotated[int, typer.Option(min=0, help="Processes that make the training data.")] = 1,
) -> None:
    """Train the network on rendered rooms and recorded sequences.

    Examples: dsm train lite --textures textures --workers 8

    torchrun --nproc-per-node 4 -m dsm_ros train paper --out runs/paper
    """
    from dsm_ros.training.session import train_session

    weights = train_session(preset, out, resume, textures, sequence or [], start, keep, workers)
    typer.echo(f"{weights}; use it with: dsm ... --model {weights}")
