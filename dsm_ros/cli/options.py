"""Options that several commands share."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from dsm_ros.datasets.source_options import SourceOptions
from dsm_ros.network.runtime import Runtime

Model = Annotated[Path | None, typer.Option(help="Weights (.safetensors); the shipped ones without it.")]
NetworkRuntime = Annotated[Runtime, typer.Option(help="What computes the network; onnxruntime is an optional package.")]
Device = Annotated[str, typer.Option(help="Where the network runs: cpu or cuda.")]

PANEL = "What is read of a bag"
SOURCES: dict[str, tuple[object, str]] = {
    "image": (str | None, "Image topic."),
    "camera_info": (str | None, "camera_info topic, or a calibration file (camera_info.yaml)."),
    "depth": (str | None, "Depth topic."),
    "pose": (str | None, "Pose topic of the camera, or TOPIC:FRAME for the pose of another frame."),
    "world_frame": (str | None, "Frame in which poses are told."),
    "rectified": (bool, "Images are rectified: P of camera_info holds, not K and D."),
}


def reads_sequence(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of SourceOptions in place of its parameter ``sources``."""

    @wraps(command)
    def run(**values: Any) -> None:
        sources = SourceOptions(**{name: values.pop(name) for name in SOURCES})
        command(**values, sources=sources)

    own = [p for p in inspect.signature(command, eval_str=True).parameters.values() if p.name != "sources"]
    shared = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=False if kind is bool else None,
            annotation=Annotated[kind, typer.Option(f"--{name.replace('_', '-')}", help=text, rich_help_panel=PANEL)],
        )
        for name, (kind, text) in SOURCES.items()
    ]
    run.__signature__ = inspect.Signature([*own, *shared])  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*own, *shared)}
    return run
