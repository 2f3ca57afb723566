"""The node's parameters: dataclasses are their only source; ROS, YAML and documentation derive from them."""

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.lifecycle import LifecycleNode

from dsm_ros.localization.config import LocalizerConfig


def parameter(default: Any, description: str, low: float | None = None, high: float | None = None) -> Any:
    """Return a dataclass field that carries what ROS wants to know of a parameter."""
    return field(default=default, metadata={"description": description, "low": low, "high": high})


_LOCALIZER = LocalizerConfig()


@dataclass(frozen=True)
class NodeParameters:
    """All parameters of the relocalizer, read once when it is configured."""

    map: str = parameter("", "Folder (or s3://...) of the map; required.")
    model: str = parameter("", "Weights (.safetensors); empty for the shipped ones.")
    device: str = parameter("cpu", "Where the network runs: cpu or cuda.")
    threads: int = parameter(0, "CPU threads of the network; 0 for one per core.", 0, 256)
    autostart: bool = parameter(True, "Configure and activate at once, without a lifecycle manager.")
    image_transport: str = parameter("raw", "raw, or compressed to subscribe to <image>/compressed.")
    base_frame: str = parameter("", "Frame to locate in the map; empty for the camera's own frame.")
    publish_tf: bool = parameter(True, "Broadcast map -> base_frame (or the camera) for each accepted pose.")
    map_points: int = parameter(50_000, "Points of the map to publish for display.", 0, 5_000_000)
    keyframes: int = parameter(_LOCALIZER.keyframes, "Keyframes retrieved per image, N.", 1, 20)
    temporal: bool = parameter(_LOCALIZER.temporal, "Fuse correlation with the previous frame.")
    min_inliers: int = parameter(_LOCALIZER.min_inliers, "Fewest agreeing cells of an accepted pose.", 4, 100_000)
    min_confidence: float = parameter(_LOCALIZER.min_confidence, "Least confidence of an accepted pose.", 0.0, 1.0)
    max_error_px: float = parameter(_LOCALIZER.max_error_px, "Inlier limit at 512 px image width.", 0.5, 50.0)

    def localizer_config(self) -> LocalizerConfig:
        """Return the localizer's part."""
        names = {item.name for item in fields(LocalizerConfig)} & {item.name for item in fields(self)}
        return LocalizerConfig(**{name: getattr(self, name) for name in names})


def declare(node: LifecycleNode) -> None:
    """Declare every parameter with its description and range."""
    for item in fields(NodeParameters):
        node.declare_parameter(item.name, item.default, describe(item))


def read(node: LifecycleNode) -> NodeParameters:
    """Return the present values. Raises ValueError when one is impossible."""
    values = {item.name: node.get_parameter(item.name).value for item in fields(NodeParameters)}
    if values["image_transport"] not in ("raw", "compressed"):
        raise ValueError(f"image_transport is '{values['image_transport']}'; use raw or compressed")
    return NodeParameters(**values)


def describe(item: Field[Any]) -> ParameterDescriptor:
    """Return the descriptor of a field; a changed value counts from the next time the node is configured."""
    low, high = item.metadata["low"], item.metadata["high"]
    descriptor = ParameterDescriptor(name=item.name, description=item.metadata["description"])
    if low is not None and isinstance(item.default, float):
        descriptor.floating_point_range = [FloatingPointRange(from_value=float(low), to_value=float(high))]
    elif low is not None:
        descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high), step=1)]
    return descriptor
