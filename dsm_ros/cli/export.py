"""The command ``dsm export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def export(
    model: Annotated[
        Path, typer.Argument(metavar="[MODEL]", help="Weights (.safetensors); default: the weights of the package.")
    ],
    out: Annotated[
        Path | None, typer.Argument(metavar="OUT.onnx", help="File (.onnx) to which the encoder is written.")
    ] = None,
) -> None:
    """Export the network as ONNX graphs: the encoder to OUT.onnx, and each trained head to OUT.HEAD.onnx.

    The input of each graph is one float32 tensor "input" (batch, channels, height, width). The encoder's input is RGB,
    0..255, with sides that are multiples of 32. No graph contains the matching.

    Examples: dsm export dsm_lite.onnx

    dsm export out/train/dsm_lite.safetensors mine.onnx
    """
    from dsm_ros.cli.output import require_writable
    from dsm_ros.errors import DsmError
    from dsm_ros.files import write_whole
    from dsm_ros.network.checkpoint import load_network
    from dsm_ros.network.onnx_export import export_part, learnt_parts

    weights, target = (model, out) if out else (None, model)
    if target.suffix != ".onnx":
        raise DsmError(f"cannot export to {target}; give a file name that ends in .onnx")
    require_writable(target)
    network = load_network(weights)
    graphs = {
        target if name == "encoder" else target.with_suffix(f".{name}.onnx"): export_part(
            part, {"model": network.name, "model_hash": network.model_hash, "part": name}
        )
        for name, part in learnt_parts(network).items()
    }
    for path, graph in graphs.items():
        write_whole(path, graph)
        typer.echo(path)
