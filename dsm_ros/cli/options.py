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
    "image": (str | None, "Image topic, as /camera/color/image_raw."),
    "camera_info": (str | None, "camera_info topic, or a calibration file such as camera_info.yaml."),
    "rectified": (bool, "Images are rectified, as image_proc's image_rect: use P of camera_info, not K and D."),
    "depth": (str | None, "Depth topic, as /camera/aligned_depth_to_color/image_raw."),
    "pose": (str | None, "Pose topic of the camera, as /slam/pose; TOPIC:FRAME for another frame's pose."),
    "world_frame": (str | None, "Frame in which the camera's poses are given, as map or odom."),
}
IMAGE_SOURCES = ("image", "camera_info", "rectified")


def reads_sequence(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command all options of SourceOptions in place of its parameter ``sources``."""
    return _with_sources(command, tuple(SOURCES))


def reads_images(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command that needs neither depth nor poses the options of images and cameras, as ``sources``."""
    return _with_sources(command, IMAGE_SOURCES)


def _with_sources(command: Callable[..., None], names: tuple[str, ...]) -> Callable[..., None]:
    @wraps(command)
    def run(**values: Any) -> None:
        sources = SourceOptions(**{name: values.pop(name) for name in names})
        command(**values, sources=sources)

    own = [p for p in inspect.signature(command, eval_str=True).parameters.values() if p.name != "sources"]
    parameters = [*own, *(_parameter(name) for name in names)]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _parameter(name: str) -> inspect.Parameter:
    kind, text = SOURCES[name]
    option = typer.Option(f"--{name.replace('_', '-')}", help=text, rich_help_panel=PANEL)
    default = False if kind is bool else None
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, option])
