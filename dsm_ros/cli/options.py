"""Options that several commands share."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields, is_dataclass
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from dsm_ros.datasets.source_options import SourceOptions
from dsm_ros.network.runtime import Runtime

if TYPE_CHECKING:
    from dsm_ros.datasets.frame import FrameSequence
    from dsm_ros.localization.localizer import Localizer
    from dsm_ros.network.dsm_net import DsmNet

MapUri = Annotated[str, typer.Argument(metavar="MAP", help="Folder of the map, or s3://BUCKET/NAME.")]
SequencePath = Annotated[str, typer.Argument(metavar="SEQUENCE", help="Folder, bag or rooms:SEED.")]
Frames = Annotated[str | None, typer.Option(help="Frames to use, START:STOP:STEP; default: all frames.")]
Single = Annotated[bool, typer.Option(help="Localize every frame independently, without the previous frame.")]
JsonFile = Annotated[Path | None, typer.Option("--json", help="Write the metrics to this file; - means stdout.")]
Plots = Annotated[Path | None, typer.Option(help="Write plots to this folder.")]
RUNTIME_HELP = "Runtime of the network; fastest measures the installed runtimes at the start."
BAG_PANEL = "Sources in a bag"


@dataclass(frozen=True)
class NetworkOptions:
    """Options of commands that run the network."""

    model: Annotated[Path | None, typer.Option(help="Weights (.safetensors); default: the weights of the package.")] = (
        None
    )
    runtime: Annotated[Runtime, typer.Option(help=RUNTIME_HELP)] = Runtime.TORCH
    device: Annotated[str, typer.Option(help="Device of the network: cpu, cuda or cuda:NUMBER.")] = "cpu"

    def load(self) -> DsmNet:
        """Return the network. Raises ModelError when the weights are missing or damaged."""
        from dsm_ros.network.checkpoint import load_network

        return load_network(self.model, self.device, self.runtime)


@dataclass(frozen=True)
class LocalizerOptions(NetworkOptions):
    """Options of commands that localize the frames of a sequence."""

    frames: Frames = None

    def open(
        self, map_uri: str, sequence: str, sources: SourceOptions, single: bool = False
    ) -> tuple[Localizer, FrameSequence, range]:
        """Open the map and the sequence; return the localizer, the sequence and the indices of the selected frames.

        single: whether to localize without the previous frame.
        """
        from dsm_ros.datasets.frame import parse_frames
        from dsm_ros.datasets.open_sequence import open_sequence
        from dsm_ros.localization.config import LocalizerConfig
        from dsm_ros.localization.localizer import Localizer
        from dsm_ros.progress import spinner
        from dsm_ros.scene_map.scene_map import SceneMap

        with spinner(f"opening {sequence}"):
            opened = open_sequence(sequence, sources)
        indices = parse_frames(self.frames, len(opened))
        network = self.load()
        scene_map = SceneMap.open(map_uri, network.model_hash, str(network.device))
        return Localizer(scene_map, network, LocalizerConfig(temporal=not single)), opened, indices


def _bag_option(help_text: str) -> Any:
    return typer.Option(help=help_text, rich_help_panel=BAG_PANEL)


@dataclass(frozen=True)
class ImageSources:
    """Options of commands that read only images and cameras of a sequence."""

    image: Annotated[str | None, _bag_option("Image topic, for example /camera/color/image_raw.")] = None
    camera_info: Annotated[str | None, _bag_option("camera_info topic, or a file such as camera_info.yaml.")] = None
    rectified: Annotated[bool, _bag_option("Images are rectified: use P of camera_info instead of K and D.")] = False

    def options(self) -> SourceOptions:
        """Return the options for ``open_sequence``."""
        return SourceOptions(**asdict(self))


@dataclass(frozen=True)
class AllSources(ImageSources):
    """Options of commands that read images, cameras, depth and poses of a sequence."""

    depth: Annotated[str | None, _bag_option("Depth topic, for example /camera/aligned_depth_to_color/image_raw.")] = (
        None
    )
    pose: Annotated[
        str | None,
        _bag_option("Topic with poses of the camera, for example /slam/pose; TOPIC:FRAME for poses of another frame."),
    ] = None
    world_frame: Annotated[str | None, _bag_option("Frame of the camera poses, for example map or odom.")] = None


def with_options(command: Callable[..., None]) -> Callable[..., None]:
    """Return the command with each parameter that is a dataclass of options replaced by the dataclass's fields."""
    signature = inspect.signature(command, eval_str=True)
    groups: dict[str, Any] = {
        name: parameter.annotation
        for name, parameter in signature.parameters.items()
        if is_dataclass(parameter.annotation)
    }

    @wraps(command)
    def run(**values: Any) -> None:
        for name, group in groups.items():
            values[name] = group(**{field.name: values.pop(field.name) for field in fields(group)})
        command(**values)

    single = [parameter for name, parameter in signature.parameters.items() if name not in groups]
    parameters = [*single, *(option for group in groups.values() for option in _options(group))]
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _options(group: Any) -> Iterator[inspect.Parameter]:
    kind, hints = inspect.Parameter.KEYWORD_ONLY, get_type_hints(group, include_extras=True)
    for field in fields(group):
        yield inspect.Parameter(field.name, kind, default=field.default, annotation=hints[field.name])
