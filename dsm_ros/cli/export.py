"""The command ``dsm export``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand


class ExportCommand(TyperCommand):
    """The command ``dsm export``, whose usage line shows that MODEL is one file.

    MODEL is declared as a list, because an optional argument cannot be followed by a required one otherwise.
    """

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the options and the arguments without the dots of a list."""
        return [piece.removesuffix("...") for piece in super().collect_usage_pieces(ctx)]


def export(
    *,
    models: Annotated[
        list[Path] | None,
        typer.Argument(metavar="MODEL", help="Weights (.safetensors); default: the weights of the package."),
    ] = None,
    out: Annotated[Path, typer.Argument(metavar="OUT.onnx", help="File (.onnx) to which the encoder is written.")],
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

    if len(models or ()) > 1:
        raise DsmError("export takes one MODEL; use: dsm export [MODEL] OUT.onnx")
    if out.suffix != ".onnx":
        raise DsmError(f"cannot export to {out}; give a file name that ends in .onnx")
    network = load_network(*(models or ()))
    parts = learnt_parts(network)
    paths = {name: out if name == "encoder" else out.with_suffix(f".{name}.onnx") for name in parts}
    for path in paths.values():
        require_writable(path)
    graphs = {
        paths[name]: export_part(part, {"model": network.name, "model_hash": network.model_hash, "part": name})
        for name, part in parts.items()
    }
    for path, graph in graphs.items():
        write_whole(path, graph)
        typer.echo(path)
