"""Parameters of the node: one dataclass is the source of the ROS declarations, the YAML file and the documentation."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsm_ros.geometry.camera import Camera
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.messages.camera import camera_from_msg, rectified_camera_from_msg
from dsm_ros.network.runtime import Runtime
from dsm_ros.node.parameters.name_checks import split_names
from dsm_ros.node.tf.base_frame import BaseFrame
from dsm_ros.node.tf.map_broadcaster import BroadcastSettings
from dsm_ros.node.tf.transforms import Transforms


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
    """All parameters of the relocalizer, read when the node is configured; changes of live parameters apply at once."""

    map: str = parameter("", "Folder (or s3:// URI) of the map; if empty, set map_roots and call ~/load_map.")
    map_roots: str = parameter(
        "",
        "Folders and s3:// prefixes from which ~/load_map may load maps, separated by commas; if empty, the "
        "folder that contains map.",
    )
    model: str = parameter("", "File (.safetensors) of the network's weights; if empty, the weights of the package.")
    device: str = parameter("cpu", "Device that runs the network: cpu, or cuda for a GPU of NVIDIA.")
    runtime: str = parameter(
        "fastest",
        "Library that runs the network. On a CPU, fastest is the installed library that encodes an image with the "
        "least processor time, as measured when the node is configured. On a GPU, fastest is torch. onnxruntime and "
        "openvino are optional.",
    )
    threads: int = parameter(
        0,
        "Number of CPU threads that localize an image; half as many encode the next. 0 means half the cores, 1 to 4.",
        0,
        256,
    )
    autostart: bool = parameter(
        True,
        "Configure and activate the node at startup. Set autostart to false if a lifecycle manager starts the node. "
        "Nav2's lifecycle manager needs bond_timeout: 0.0, because the node has no bond.",
    )
    image_transport: str = parameter(
        "raw", "Transport of the images: raw, or compressed to subscribe to image/compressed."
    )
    rectified: bool = parameter(
        False, "The images are rectified (image_rect): the matrix P of camera_info applies instead of K and D."
    )
    cameras: str = parameter(
        "", "Names of the cameras of a rig, separated by commas, for example front,left; if empty, a single camera."
    )
    rig_slop_s: float = parameter(
        0.05,
        "Tolerance (s) of the timestamps of a rig's cameras, like slop in message_filters: maximum difference of "
        "images that are localized together, and maximum wait for a late image.",
        0.0,
        1.0,
    )
    base_frame: str = parameter(
        "", "Robot frame to locate in the map, for example base_link; if empty, the camera frame."
    )
    two_d_mode: bool = parameter(
        False,
        "The robot moves in a plane: publish x, y and yaw of base_frame, level and at base_height_m, and refuse poses "
        "that are not level. two_d_mode needs base_frame.",
    )
    base_height_m: float = parameter(0.0, "Height (m) of base_frame in the map with two_d_mode.", -1000.0, 1000.0)
    map_sigma_m: float = parameter(
        0.02,
        "Standard deviation (m) of the position errors of the map, which the covariance of each pose includes.",
        0.0,
        100.0,
    )
    map_sigma_deg: float = parameter(
        0.7,
        "Standard deviation (degrees) of the rotation errors of the map, which the covariance of each pose includes.",
        0.0,
        180.0,
    )
    odom_frame: str = parameter(
        "", "Odometry frame, for example odom; if set, the node broadcasts map -> odom_frame (REP 105)."
    )
    publish_tf: bool = parameter(
        True, "Broadcast map -> odom_frame, or map -> base_frame without odom_frame, or map -> camera without both."
    )
    transform_tolerance_s: float = live(
        0.1, "Time (s) by which the timestamp of map -> odom_frame is ahead of the present.", 0.0, 10.0
    )
    transform_timeout_s: float = live(0.2, "Maximum wait (s) for a transform at an image's timestamp.", 0.0, 10.0)
    odom_noise: float = live(
        0.0,
        "Drift of the odometry, for the Kalman filter of map -> odom_frame. For example, 0.02 means standard "
        "deviations of 0.02 m and 0.02 rad after each metre that the robot drives, and of 0.02 rad after each radian "
        "that the robot turns. 0 means no filter, so that each pose replaces map -> odom_frame.",
        0.0,
        10.0,
    )
    continuous: bool = live(True, "Localize every image; if false, only while a request for a pose is open.")
    stale_after_s: float = live(
        1.0, "Time (s) without an image after which the node reports the reason stale_images.", 0.1, 3600.0
    )
    rescue_timeout_s: float = live(
        5.0, "Timeout (s) of a rescue that ~/trigger, watch_topic or a service call starts.", 0.1, 3600.0
    )
    publish_initialpose: bool = parameter(
        False, "Publish the pose that a rescue found on initialpose, for AMCL and other localizers."
    )
    hint_radius_m: float = live(
        2.0,
        "Distance (m) from a hint within which poses agree with the hint; three standard deviations of the "
        "hint's position replace a smaller hint_radius_m.",
        0.01,
        1000.0,
    )
    watch_topic: str = parameter(
        "", "Pose topic of another localizer whose silence or large covariance starts a rescue; if empty, none."
    )
    watch_type: str = parameter(
        "pose", "Message type of watch_topic: pose (PoseWithCovarianceStamped) or odometry (Odometry)."
    )
    watch_timeout_s: float = parameter(
        1.0, "Time (s) without a message on watch_topic after which a rescue starts.", 0.01, 3600.0
    )
    watch_max_sigma_m: float = parameter(
        1.0, "Standard deviation (m) of the position on watch_topic above which a rescue starts.", 0.001, 1000.0
    )
    map_points: int = parameter(50_000, "Maximum number of points on ~/map_points.", 0, 5_000_000)
    keyframes: int = live(
        _LOCALIZER.keyframes,
        "Number of keyframes that are retrieved from the map for each image and compared with the image.",
        1,
        20,
    )
    temporal: bool = live(
        _LOCALIZER.temporal,
        "Compare each image with the previous image too, and not only with keyframes (temporal fusion).",
    )
    min_inliers: int = live(
        _LOCALIZER.min_inliers,
        "Minimum number of inliers of an accepted pose: image cells that agree with the pose, at most 1000.",
        4,
        100_000,
    )
    min_confidence: float = live(
        _LOCALIZER.min_confidence,
        "Minimum confidence of an accepted pose: the probability that its errors are below 10 cm and 5 degrees.",
        0.0,
        1.0,
    )
    max_error_px: float = live(
        _LOCALIZER.max_error_px,
        "Maximum reprojection error of an inlier, in px of the image after its longer side is scaled to 512 px. The "
        "confidence of a pose was fitted with 8 px and is less reliable with other values.",
        4.0,
        16.0,
    )

    def camera_names(self) -> list[str]:
        """Return the cameras' names; one empty name for a single camera."""
        return split_names(self.cameras) or [""]

    def rig_frame(self) -> str:
        """Return the frame that is located in the map; empty for the frame of the first camera."""
        return self.base_frame if split_names(self.cameras) else ""

    def camera_of(self) -> Callable[[Any], Camera]:
        """Return the function that reads a CameraInfo, for rectified or raw images."""
        return rectified_camera_from_msg if self.rectified else camera_from_msg

    def map_covariance_66(self) -> NDArray[np.float64]:
        """Return the covariance of map and calibration (m^2, rad^2), which the images themselves do not show."""
        return np.diag([self.map_sigma_m**2] * 3 + [math.radians(self.map_sigma_deg) ** 2] * 3)

    def base(self, transforms: Transforms) -> BaseFrame:
        """Return the robot frame that is located. Raises ValueError for two_d_mode without base_frame."""
        if self.two_d_mode and not self.base_frame:
            raise ValueError("two_d_mode needs the frame of the robot's base; set base_frame")
        plane_m = self.base_height_m if self.two_d_mode else None
        return BaseFrame(transforms, self.base_frame, self.transform_timeout_s, plane_m)

    def broadcast_settings(self) -> BroadcastSettings:
        """Return the settings of the broadcaster."""
        return BroadcastSettings(
            self.base_frame,
            self.odom_frame,
            self.transform_tolerance_s,
            self.transform_timeout_s,
            self.odom_noise,
            self.two_d_mode,
        )

    def localizer_config(self) -> LocalizerConfig:
        """Return the parameters of the localizer."""
        names = {item.name for item in fields(LocalizerConfig)} & {item.name for item in fields(self)}
        return LocalizerConfig(**{name: getattr(self, name) for name in names})
