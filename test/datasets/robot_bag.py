"""Bags of a simulated robot with the messages of its sensors, odometry and localizer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from dsm_ros.datasets.rooms.render import render
from dsm_ros.datasets.rooms.sequence import RoomSequence, open_rooms
from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import invert, make_pose, quaternion_xyzw

STORE = get_typestore(Stores.ROS2_JAZZY)
T = STORE.types
S = 1_000_000_000
START_NS = 1_700_000_000 * S
OPTICAL = "camera_color_optical_frame"
DEPTH_OPTICAL = "camera_depth_optical_frame"
# Body x and optical z point forward; the camera is 0.2 m in front of the base and 0.3 m above it.
BASE_T_CAMERA = make_pose([[0, 0, 1], [-1, 0, 0], [0, -1, 0]], [0.2, 0.0, 0.3])
DEPTH_CAMERA = Camera(212, 120, 106.25, 106.25, 105.5, 59.5)
COLOUR_T_DEPTH = make_pose(np.eye(3), [-0.059, 0.0, 0.0])


def time_of(stamp_ns: int) -> Any:
    return T["builtin_interfaces/msg/Time"](int(stamp_ns // S), int(stamp_ns % S))


def header(stamp_ns: int, frame: str) -> Any:
    return T["std_msgs/msg/Header"](time_of(stamp_ns), frame)


def image(stamp_ns: int, frame: str, pixels: np.ndarray, encoding: str) -> Any:
    data = np.frombuffer(pixels.tobytes(), np.uint8)
    return T["sensor_msgs/msg/Image"](
        header(stamp_ns, frame), *pixels.shape[:2], encoding, 0, len(data) // pixels.shape[0], data
    )


def compressed(stamp_ns: int, frame: str, form: str, data: bytes) -> Any:
    return T["sensor_msgs/msg/CompressedImage"](header(stamp_ns, frame), form, np.frombuffer(data, np.uint8))


def camera_info(stamp_ns: int, frame: str, camera: Camera) -> Any:
    roi = T["sensor_msgs/msg/RegionOfInterest"](0, 0, 0, 0, False)
    k_33 = camera.matrix_33
    model = camera.distortion_model if camera.distortion else "plumb_bob"
    return T["sensor_msgs/msg/CameraInfo"](
        header(stamp_ns, frame),
        camera.height_px,
        camera.width_px,
        model,
        np.array(camera.distortion or [0.0] * 5),
        k_33.ravel(),
        np.eye(3).ravel(),
        np.pad(k_33, ((0, 0), (0, 1))).ravel(),
        0,
        0,
        roi,
    )


def numbers(pose: np.ndarray) -> tuple[list[float], list[float]]:
    return pose[:3, 3].tolist(), quaternion_xyzw(pose).tolist()


def pose_msg(pose: np.ndarray) -> Any:
    p, q = numbers(pose)
    return T["geometry_msgs/msg/Pose"](T["geometry_msgs/msg/Point"](*p), T["geometry_msgs/msg/Quaternion"](*q))


def pose_stamped(stamp_ns: int, frame: str, pose: np.ndarray) -> Any:
    return T["geometry_msgs/msg/PoseStamped"](header(stamp_ns, frame), pose_msg(pose))


def odometry(stamp_ns: int, frame: str, child: str, pose: np.ndarray) -> Any:
    zero = T["geometry_msgs/msg/Vector3"](0.0, 0.0, 0.0)
    twist = T["geometry_msgs/msg/TwistWithCovariance"](T["geometry_msgs/msg/Twist"](zero, zero), np.zeros(36))
    covariance = T["geometry_msgs/msg/PoseWithCovariance"](pose_msg(pose), np.zeros(36))
    return T["nav_msgs/msg/Odometry"](header(stamp_ns, frame), child, covariance, twist)


def tf(stamp_ns: int, parent: str, child: str, pose: np.ndarray) -> Any:
    p, q = numbers(pose)
    transform = T["geometry_msgs/msg/Transform"](
        T["geometry_msgs/msg/Vector3"](*p), T["geometry_msgs/msg/Quaternion"](*q)
    )
    stamped = T["geometry_msgs/msg/TransformStamped"](header(stamp_ns, parent), child, transform)
    return T["tf2_msgs/msg/TFMessage"]([stamped])


Message = tuple[int, str, Any]  # time of recording, topic, message


def write(path: Path, messages: Iterable[Message], plugin: StoragePlugin = StoragePlugin.MCAP) -> Path:
    """Write messages to a bag, ordered by time of recording."""
    with Writer(path, version=9, storage_plugin=plugin) as bag:
        connections: dict[str, Any] = {}
        for bag_ns, topic, message in sorted(messages, key=lambda item: item[0]):
            kind = message.__msgtype__
            if topic not in connections:
                connections[topic] = bag.add_connection(topic, kind, typestore=STORE)
            bag.write(connections[topic], bag_ns, STORE.serialize_cdr(message, kind))
    return path


@lru_cache(maxsize=8)
def open_room(spec: str) -> RoomSequence:
    return open_rooms(spec)


@lru_cache(maxsize=500)
def view(spec: str, pose: bytes, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """Return RGB and depth (mm) of a room, cached because many recordings share their views."""
    map_T_camera = torch.from_numpy(np.frombuffer(pose).reshape(4, 4).copy())
    image_HW3, depth_HW = render(open_room(spec).room.on("cpu"), map_T_camera, camera)
    rgb_HW3 = (image_HW3.numpy().clip(0, 1) * 255 + 0.5).astype(np.uint8)
    return rgb_HW3, (depth_HW.numpy() * 1000 + 0.5).astype(np.uint16)


@dataclass(frozen=True)
class Robot:
    """A robot that moves through a room, with colour, depth, drifting odometry, and map -> odom from a localizer.

    map_odom_hz: 0 for no localizer. late_s: how long after the start map -> odom begins. drift_m_per_s: of odometry.
    """

    spec: str = "rooms:7/frames=300,size=160x120"
    images: int = 12
    period_s: float = 0.2
    odom_hz: float = 50.0
    map_odom_hz: float = 20.0
    late_s: float = 0.0
    drift_m_per_s: float = 0.05
    depth_camera: Camera = DEPTH_CAMERA

    @property
    def room(self) -> RoomSequence:
        return open_room(self.spec)

    @property
    def length_s(self) -> float:
        return (self.images - 1) * self.period_s

    def map_T_camera(self, second: float) -> np.ndarray:
        return self.room.room.walks[0].pose(second / 10)  # once around in ten seconds

    def map_T_odom(self, second: float) -> np.ndarray:
        turn = np.radians(4.0 * second * self.drift_m_per_s / 0.05)
        rotation = [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
        return make_pose(rotation, [self.drift_m_per_s * second, -self.drift_m_per_s * second, 0])

    def odom_T_base(self, second: float) -> np.ndarray:
        return invert(self.map_T_odom(second)) @ self.map_T_camera(second) @ invert(BASE_T_CAMERA)

    def seconds(self, hz: float, start_s: float = -0.1) -> np.ndarray:
        return np.arange(start_s, self.length_s + 0.1, 1 / hz) if hz else np.empty(0)

    def image_seconds(self) -> np.ndarray:
        return np.arange(self.images) * self.period_s

    def seen(self, second: float, camera: Camera | None = None, camera_T_other: np.ndarray | None = None) -> Any:
        """Return RGB and depth (mm) of a camera in the room, by default the colour camera."""
        pose = self.map_T_camera(second) @ (np.eye(4) if camera_T_other is None else camera_T_other)
        return view(self.spec, pose.tobytes(), camera or self.room.camera)

    def colour(self, folder: str = "/camera/color", frame: str = OPTICAL) -> list[Message]:
        messages: list[Message] = []
        for second in self.image_seconds():
            ns = stamp(second)
            messages.append((ns, f"{folder}/image_raw", image(ns, frame, self.seen(second)[0], "rgb8")))
            messages.append((ns, f"{folder}/camera_info", camera_info(ns, frame, self.room.camera)))
        return messages

    def aligned_depth(
        self, topic: str = "/camera/aligned_depth_to_color/image_raw", frame: str = OPTICAL
    ) -> list[Message]:
        pairs = [(stamp(second), self.seen(second)[1]) for second in self.image_seconds()]
        return [(ns, topic, image(ns, frame, depth, "16UC1")) for ns, depth in pairs]

    def unaligned_depth(self, folder: str = "/camera/depth") -> list[Message]:
        messages: list[Message] = []
        for second in self.image_seconds():
            ns, depth = stamp(second), self.seen(second, self.depth_camera, COLOUR_T_DEPTH)[1]
            messages.append((ns, f"{folder}/image_rect_raw", image(ns, DEPTH_OPTICAL, depth, "16UC1")))
            messages.append((ns, f"{folder}/camera_info", camera_info(ns, DEPTH_OPTICAL, self.depth_camera)))
        return messages

    def odometry_topic(self, topic: str = "/odom", child: str = "base_link") -> list[Message]:
        pairs = [(stamp(second), self.odom_T_base(second)) for second in self.seconds(self.odom_hz)]
        return [(ns, topic, odometry(ns, "odom", child, pose)) for ns, pose in pairs]

    def odometry_tf(self) -> list[Message]:
        pairs = [(stamp(second), self.odom_T_base(second)) for second in self.seconds(self.odom_hz)]
        return [(ns, "/tf", tf(ns, "odom", "base_link", pose)) for ns, pose in pairs]

    def map_tf(self) -> list[Message]:
        pairs = [
            (stamp(second), self.map_T_odom(second)) for second in self.seconds(self.map_odom_hz, self.late_s - 0.1)
        ]
        return [(ns, "/tf", tf(ns, "map", "odom", pose)) for ns, pose in pairs]

    def static_tf(self) -> list[Message]:
        ns = stamp(-0.1)
        return [
            (ns, "/tf_static", tf(ns, "base_link", OPTICAL, BASE_T_CAMERA)),
            (ns, "/tf_static", tf(ns, OPTICAL, DEPTH_OPTICAL, COLOUR_T_DEPTH)),
        ]

    def everything(self) -> list[Message]:
        """Return a whole recording with aligned depth."""
        return [
            *self.colour(),
            *self.aligned_depth(),
            *self.odometry_topic(),
            *self.odometry_tf(),
            *self.map_tf(),
            *self.static_tf(),
        ]

    def truth(self, stamp_ns: int) -> np.ndarray:
        """Return map_T_camera at a stamp."""
        return self.map_T_camera((stamp_ns - START_NS) / S)


def stamp(second: float) -> int:
    return START_NS + round(float(second) * S)


def without(messages: Iterable[Message], topic: str) -> list[Message]:
    return [message for message in messages if message[1] != topic]
