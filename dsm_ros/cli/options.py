"""Options that several commands have."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dsm_ros.network.runtime import Runtime

Model = Annotated[Path | None, typer.Option(help="Weights (.safetensors); the shipped ones without it.")]
NetworkRuntime = Annotated[Runtime, typer.Option(help="What computes the network; onnxruntime is an optional package.")]
Device = Annotated[str, typer.Option(help="Where the network runs: cpu or cuda.")]
