"""MCAP writer for the topics that viewers display, readable by Foxglove and ``ros2 bag play``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from ament_index_python import get_package_share_directory
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import PoseWithCovarianceStamped
from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosbags.interfaces import Qos, QosDurability, QosHistory, QosLiveliness, QosReliability, QosTime
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore
from sensor_msgs.msg import CameraInfo, CompressedImage, Image, PointCloud2
from tf2_msgs.msg import TFMessage
from visualization_msgs.msg import MarkerArray

from dsm_ros.msg import RelocalizationStatus
from dsm_ros.node.interface.topics import LATCHED

QUEUED = QoSProfile(depth=100)
SENSOR = QoSProfile(depth=100, reliability=ReliabilityPolicy.BEST_EFFORT)
LARGE_PERIOD_S = 0.5
FOREVER = QosTime(2147483647, 4294967295)  # infinite duration as rosbag2 writes it


@dataclass(frozen=True)
class RecordedTopic:
    """A topic and its QoS; period_s: minimum time between recorded messages."""

    name: str
    kind: type
    qos: QoSProfile
    period_s: float = 0.0

    @property
    def is_latched(self) -> bool:
        """Whether late subscribers receive the last message."""
        return self.qos.durability == DurabilityPolicy.TRANSIENT_LOCAL

    @property
    def type_name(self) -> str:
        """The name of the message type in bags."""
        return f"{self.kind.__module__.split('.')[0]}/msg/{self.kind.__name__}"


FIRST = RecordedTopic("/camera_info", CameraInfo, SENSOR)  # the recording starts with the first message of the camera
TOPICS = (
    FIRST,
    RecordedTopic("/image/compressed", CompressedImage, SENSOR),
    RecordedTopic("/tf", TFMessage, QUEUED),
    RecordedTopic("/diagnostics", DiagnosticArray, QUEUED),
    RecordedTopic("/relocalizer/pose", PoseWithCovarianceStamped, QUEUED),
    RecordedTopic("/relocalizer/status", RelocalizationStatus, LATCHED),
    RecordedTopic("/relocalizer/map_points", PointCloud2, LATCHED),
    RecordedTopic("/relocalizer/keyframes", MarkerArray, LATCHED),
    RecordedTopic("/relocalizer/scene_coordinates", PointCloud2, QUEUED, LARGE_PERIOD_S),
    RecordedTopic("/relocalizer/debug_image", Image, QUEUED, LARGE_PERIOD_S),
)


@contextmanager
def record_bag(node: Node, path: Path) -> Iterator[None]:
    """Write TOPICS to an MCAP file while the block spins the node; the file is complete when the block ends."""
    with TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as folder:
        writer = Writer(Path(folder) / path.stem, version=9, storage_plugin=StoragePlugin.MCAP)
        writer.set_compression(CompressionMode.STORAGE, CompressionFormat.ZSTD)
        with writer:
            bag = _Bag(writer)
            for topic in TOPICS:
                node.create_subscription(topic.kind, topic.name, partial(bag.take, topic), topic.qos, raw=True)
            yield
        (writer.path / path.name).replace(path)


class _Bag:
    """Bag of serialized messages, stored with their times of arrival."""

    def __init__(self, writer: Writer):
        store = _message_store()
        self._writer = writer
        self._connections = {
            topic.name: writer.add_connection(
                topic.name,
                topic.type_name,
                msgdef=_definition(store, topic.type_name),
                rihs01=store.hash_rihs01(topic.type_name),
                offered_qos_profiles=[_bag_qos(topic.qos)],
            )
            for topic in TOPICS
        }
        self._early: dict[str, bytes] | None = {}  # latched messages from before the first image; None afterwards
        self._written_ns: dict[str, int] = {}

    def take(self, topic: RecordedTopic, serialized: bytes) -> None:
        """Write a message unless its topic's period has not passed yet."""
        now_ns = time.time_ns()
        if topic is FIRST and self._early is not None:
            for name, early in self._early.items():
                self._write(name, now_ns, early)
            self._early = None
        if self._early is None:
            if now_ns - self._written_ns.get(topic.name, 0) >= topic.period_s * 1e9:
                self._write(topic.name, now_ns, serialized)
        elif topic.is_latched:
            self._early[topic.name] = serialized

    def _write(self, name: str, now_ns: int, serialized: bytes) -> None:
        self._written_ns[name] = now_ns
        self._writer.write(self._connections[name], now_ns, serialized)


def _message_store() -> Typestore:
    """Return the message definitions of ROS and of this package."""
    store = get_typestore(Stores.ROS2_JAZZY)
    for name in {topic.type_name for topic in TOPICS} - set(store.types):
        store.register(get_types_from_msg(_text(name), name))
    return store


def _definition(store: Typestore, type_name: str) -> str:
    """Return a message definition; for this package, the file with its constants, because viewers show their names."""
    generated, _ = store.generate_msgdef(type_name, ros_version=2)
    if not type_name.startswith("dsm_ros/"):
        return generated
    _, rule, needed = generated.partition("=" * 80)
    return _text(type_name) + rule + needed


def _text(type_name: str) -> str:
    package, _, message = type_name.split("/")
    return (Path(get_package_share_directory(package)) / "msg" / f"{message}.msg").read_text()


def _bag_qos(qos: QoSProfile) -> Qos:
    """Return a QoS in the form that bags store, so that ``ros2 bag play`` offers the same QoS."""
    reliability, durability = QosReliability[qos.reliability.name], QosDurability[qos.durability.name]
    times = {"deadline": FOREVER, "lifespan": FOREVER, "liveliness_lease_duration": FOREVER}
    return Qos(
        history=QosHistory.KEEP_LAST,
        depth=qos.depth,
        reliability=reliability,
        durability=durability,
        liveliness=QosLiveliness.AUTOMATIC,
        avoid_ros_namespace_conventions=False,
        **times,
    )
