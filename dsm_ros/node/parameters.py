"""Parameters of the node: one dataclass is the only source of ROS declarations, YAML file and documentation."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import Field, dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.lifecycle import LifecycleNode

from dsm_ros.geometry.camera import Camera
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.messages.camera import camera_from_msg, rectified_camera_from_msg
from dsm_ros.network.runtime import Runtime
from dsm_ros.node.names import NAME_CHECKS, split_names
from dsm_ros.node.tf.map_broadcaster import BroadcastSettings


def parameter(
    default: Any, description: str, low: float | None = None, high: float | None = None, live: bool = False
) -> Any:
    """Return a dataclass field with the description and range of a ROS parameter."""
    return field(default=default, metadata={"description": description, "low": low, "high": high, "live": live})


def live(default: Any, description: str, low: float | None = None, high: float | None = None) -> Any:
    """Return the field of a parameter whose changes apply at once."""
    return parameter(default, description, low, high, live=True)


_LOCALIZER = LocalizerConfig()
CHOICES = {"image_transport": ("raw", "compressed"), "watch_type": ("pose", "odometry"), "runtime": tuple(Runtime)}
AT_START = "autostart"  # read once


@dataclass(frozen=True)
class NodeParameters:
    """All parameters of the relocalizer, read when it is configured; those that are live follow every change."""

    map: str = parameter("", "Folder (or s3://...) of the map; empty to wait for ~/load_map.")
    model: str = parameter("", "Weights (.safetensors); empty for the shipped ones.")
    device: str = parameter("cpu", "Where the network runs: cpu or cuda.")
    runtime: str = parameter("torch", "What computes the network: torch, or onnxruntime (an optional package).")
    threads: int = parameter(0, "CPU threads of the network; 0 for one per core.", 0, 256)
    autostart: bool = parameter(True, "Configure and activate at once, without a lifecycle manager.")
    image_transport: str = parameter("raw", "raw, or compressed to subscribe to <image>/compressed.")
    rectified: bool = parameter(False, "Images are rectified (image_rect): camera_info's P holds, not K and D.")
    cameras: str = parameter("", "Names of a rig's cameras, as in front,left; empty for one camera.")
    rig_slop_s: float = parameter(
        0.05, "A rig's images this close in time are one; a late one is waited for.", 0.0, 1.0
    )
    base_frame: str = parameter("", "Frame to locate in the map; empty for the camera's own frame.")
    map_sigma_m: float = parameter(0.02, "Deviation of the map's own positions, added to the covariance.", 0.0, 100.0)
    map_sigma_deg: float = parameter(0.7, "Deviation of the map's own directions, added to it.", 0.0, 180.0)
    odom_frame: str = parameter("", "Frame of the odometry; with it, map -> odom_frame is broadcast (REP 105).")
    publish_tf: bool = parameter(True, "Broadcast map -> odom_frame, base_frame or the camera, whichever is set first.")
    transform_tolerance_s: float = live(0.1, "How far ahead map -> odom is stamped.", 0.0, 10.0)
    transform_timeout_s: float = live(0.2, "Longest wait for a transform at an image's stamp.", 0.0, 10.0)
    smoothing_s: float = live(0.0, "Time constant of map -> odom; 0 takes each pose at once.", 0.0, 60.0)
    smoothing_limit_m: float = live(0.5, "A larger jump of the camera is taken at once.", 0.0, 100.0)
    continuous: bool = live(True, "Process every image; false to do so only while a request for a pose is open.")
    stale_after_s: float = live(1.0, "Report stale images after this long without one.", 0.1, 3600.0)
    rescue_timeout_s: float = live(5.0, "How long a rescue by trigger or watch goes on.", 0.1, 3600.0)
    publish_initialpose: bool = parameter(False, "Publish the pose of a rescue on initialpose (AMCL and others).")
    hint_radius_m: float = live(2.0, "Least distance within which a hint is believed.", 0.01, 1000.0)
    watch_topic: str = parameter("", "Topic whose silence or covariance starts a rescue; empty for none.")
    watch_type: str = parameter("pose", "pose (PoseWithCovarianceStamped) or odometry (Odometry).")
    watch_timeout_s: float = parameter(1.0, "Silence of the watched topic that starts a rescue.", 0.01, 3600.0)
    watch_max_sigma_m: float = parameter(1.0, "Position deviation on it that starts a rescue.", 0.001, 1000.0)
    map_points: int = parameter(50_000, "Points of the map to publish for display.", 0, 5_000_000)
    keyframes: int = live(_LOCALIZER.keyframes, "Keyframes retrieved per image, N.", 1, 20)
    temporal: bool = live(_LOCALIZER.temporal, "Fuse correlation with the previous frame.")
    min_inliers: int = live(_LOCALIZER.min_inliers, "Fewest agreeing cells of an accepted pose.", 4, 100_000)
    min_confidence: float = live(
        _LOCALIZER.min_confidence, "Least probability that an accepted pose is within 10 cm and 5 degrees.", 0.0, 1.0
    )
    max_error_px: float = live(_LOCALIZER.max_error_px, "Inlier limit at 512 px image width.", 0.5, 50.0)

    def camera_names(self) -> list[str]:
        """Return the cameras' names; one empty name for a single camera."""
        return split_names(self.cameras) or [""]

    def rig_frame(self) -> str:
        """Return the frame that a rig's pose is of; empty for the frame of its first camera."""
        return self.base_frame if split_names(self.cameras) else ""

    def camera_of(self) -> Callable[[Any], Camera]:
        """Return the function that reads a CameraInfo, for rectified images or for raw ones."""
        return rectified_camera_from_msg if self.rectified else camera_from_msg

    def map_covariance_66(self) -> NDArray[np.float64]:
        """Return the covariance of map and calibration (m^2, rad^2), which the images themselves do not show."""
        return np.diag([self.map_sigma_m**2] * 3 + [math.radians(self.map_sigma_deg) ** 2] * 3)

    def broadcast_settings(self) -> BroadcastSettings:
        """Return the settings of the broadcaster."""
        return BroadcastSettings(
            self.base_frame,
            self.odom_frame,
            self.transform_tolerance_s,
            self.transform_timeout_s,
            self.smoothing_s,
            self.smoothing_limit_m,
        )

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
    for name, value in values.items():
        if problem := impossible(name, value):
            raise ValueError(problem)
    return NodeParameters(**values)


def impossible(name: str, value: Any) -> str:
    """Return why a parameter cannot have a value of its type; empty when it can, or when it is not the node's."""
    if name in CHOICES and value not in CHOICES[name]:
        return f"{name} is '{value}'; use {' or '.join(CHOICES[name])}"
    problem = NAME_CHECKS[name](value) if name in NAME_CHECKS else ""
    return f"{name}: {problem}" if problem else ""


def describe(item: Field[Any]) -> ParameterDescriptor:
    """Return the descriptor of a field."""
    low, high = item.metadata["low"], item.metadata["high"]
    descriptor = ParameterDescriptor(name=item.name, description=item.metadata["description"])
    descriptor.read_only = item.name == AT_START
    descriptor.additional_constraints = constraints(item)
    if low is not None and isinstance(item.default, float):
        descriptor.floating_point_range = [FloatingPointRange(from_value=float(low), to_value=float(high))]
    elif low is not None:
        descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high), step=1)]
    return descriptor


def constraints(item: Field[Any]) -> str:
    """Return when a field may be changed, and its choices where it has no range."""
    if item.name == AT_START:
        return "read once, at the start"
    choice = f"{' or '.join(CHOICES[item.name])}; " if item.name in CHOICES else ""
    return choice + ("counts at once" if item.metadata["live"] else "not while the node is configured")
