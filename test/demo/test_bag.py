"""The demo's recording, of the real node over real DDS, is read back by a library that knows nothing of ROS."""

import json
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from dds_peer import Peer, run_node
from rosbags.highlevel import AnyReader
from rosbags.interfaces import QosDurability
from ruamel.yaml import YAML
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header

from dsm_ros.demo.bag import LARGE_PERIOD_S, TOPICS, record_bag
from dsm_ros.messages.pose import stamp_ns_of
from dsm_ros.node.interface.conversions import image_to_jpeg_msg, stamp_msg

CONFIG = Path(__file__).resolve().parents[2] / "config"
STAMPS_NS = [1_700_000_000_000_000_000 + i * 200_000_000 for i in range(5)]
TYPES = {
    "/image/compressed": "sensor_msgs/msg/CompressedImage",
    "/camera_info": "sensor_msgs/msg/CameraInfo",
    "/tf": "tf2_msgs/msg/TFMessage",
    "/diagnostics": "diagnostic_msgs/msg/DiagnosticArray",
    "/relocalizer/pose": "geometry_msgs/msg/PoseWithCovarianceStamped",
    "/relocalizer/status": "dsm_ros/msg/RelocalizationStatus",
    "/relocalizer/map_points": "sensor_msgs/msg/PointCloud2",
    "/relocalizer/keyframes": "visualization_msgs/msg/MarkerArray",
    "/relocalizer/scene_coordinates": "sensor_msgs/msg/PointCloud2",
    "/relocalizer/debug_image": "sensor_msgs/msg/Image",
}


def spin_for_diagnostics(peer):
    """Spin for one to two seconds: what was published before has arrived."""
    heard = len(peer.heard["diagnostics"])
    peer.wait(lambda: len(peer.heard["diagnostics"]) >= heard + 2)


def spin_for_latched(peer):
    """Spin until messages from before the recording arrive at subscriptions younger than those of the recording."""
    arrived, latched = set(), [topic for topic in TOPICS if topic.is_latched]
    for topic in latched:
        peer.node.create_subscription(topic.kind, topic.name, lambda _, name=topic.name: arrived.add(name), topic.qos)
    peer.wait(lambda: len(arrived) == len(latched))


@pytest.fixture(scope="module")
def bag(ros, tmp_path_factory):
    """A node that answers five images, recorded; the node is there before the recorder."""
    path = tmp_path_factory.mktemp("recording") / "demo.mcap"
    process, peer = run_node(), Peer()
    jpegs = peer.node.create_publisher(CompressedImage, "image/compressed", 10)
    try:
        peer.connect()
        with record_bag(peer.node, path):
            peer.wait(lambda: jpegs.get_subscription_count() > 0)
            spin_for_latched(peer)
            spin_for_diagnostics(peer)
            assert not path.exists()
            for red, stamp_ns in enumerate(STAMPS_NS):
                peer.ask(red, stamp_ns)
                header = Header(stamp=stamp_msg(stamp_ns), frame_id="cam_optical")
                jpegs.publish(image_to_jpeg_msg(np.full((24, 32, 3), (200, 40, 0), np.uint8), header))
            spin_for_diagnostics(peer)
    finally:
        process.terminate()
        process.wait(20)
        peer.node.destroy_node()
    return path


@pytest.fixture(scope="module")
def reader(bag):
    with AnyReader([bag]) as reader:  # without a typestore: what it needs to know is in the file
        yield reader


def messages(reader, topic):
    connections = [c for c in reader.connections if c.topic == topic]
    return [(time_ns, reader.deserialize(raw, c.msgtype)) for c, time_ns, raw in reader.messages(connections)]


def test_every_topic_is_there_with_its_type_and_definition(reader):
    assert {c.topic: c.msgtype for c in reader.connections} == TYPES
    assert {topic.name: topic.type_name for topic in TOPICS} == TYPES
    (status,) = [c for c in reader.connections if c.topic == "/relocalizer/status"]
    assert "float32 latency_ms" in status.msgdef.data
    assert all(c.msgdef.data for c in reader.connections)


def test_viewers_can_name_the_states(reader):
    (status,) = [c for c in reader.connections if c.topic == "/relocalizer/status"]
    fields = [line.split("#")[0].strip() for line in status.msgdef.data.splitlines()]
    values = [f"uint8 {state}" for state in ("UNCONFIGURED=0", "SEARCHING=1", "TRACKING=2", "LOST=3")]
    assert fields[: fields.index("uint8 state")][-4:] == values


def test_every_answer_is_recorded_once(reader):
    counts = Counter(connection.topic for connection, _, _ in reader.messages())
    poses_ns = [stamp_ns_of(message.header.stamp) for _, message in messages(reader, "/relocalizer/pose")]
    statuses_ns = {stamp_ns_of(message.header.stamp) for _, message in messages(reader, "/relocalizer/status")}
    assert sorted(set(poses_ns)) == STAMPS_NS
    assert statuses_ns >= set(STAMPS_NS)  # and one for silence, now and then
    assert counts["/image/compressed"] == len(STAMPS_NS)
    assert counts["/tf"] >= len(STAMPS_NS)
    assert counts["/diagnostics"] >= 1


def test_what_was_latched_before_comes_first_and_once(reader):
    first_ns = messages(reader, "/camera_info")[0][0]
    for topic in ("map_points", "keyframes"):
        ((time_ns, _),) = messages(reader, f"/relocalizer/{topic}")
        assert time_ns == first_ns == reader.start_time
    assert messages(reader, "/relocalizer/map_points")[0][1].width == 4


def test_latched_topics_are_offered_latched_again(reader):
    latched = {
        c.topic for c in reader.connections if c.ext.offered_qos_profiles[0].durability is QosDurability.TRANSIENT_LOCAL
    }
    assert latched == {"/relocalizer/status", "/relocalizer/map_points", "/relocalizer/keyframes"}


def test_large_messages_are_thinned(reader):
    for topic in ("scene_coordinates", "debug_image"):
        times_ns = [time_ns for time_ns, _ in messages(reader, f"/relocalizer/{topic}")]
        assert times_ns
        assert all(np.diff(times_ns) >= LARGE_PERIOD_S * 1e9)


def test_images_keep_their_colours(reader):
    _, message = messages(reader, "/image/compressed")[0]
    blue_green_red = cv2.imdecode(message.data, cv2.IMREAD_COLOR)[12, 16]
    assert np.abs(blue_green_red.astype(int) - (0, 40, 200)).max() < 10
    assert "jpeg" in message.format


def test_the_layouts_find_their_topics_in_it(reader):
    recorded = {c.topic for c in reader.connections}
    foxglove = json.loads((CONFIG / "foxglove.json").read_text())
    topics = set(foxglove["configById"]["3D!scene"]["topics"])
    topics.add(foxglove["configById"]["Image!debug"]["imageMode"]["imageTopic"])
    displays = YAML(typ="safe").load(CONFIG / "dsm.rviz")["Visualization Manager"]["Displays"]
    topics |= {display["Topic"]["Value"] for display in displays if "Topic" in display and display["Enabled"]}
    assert topics
    assert topics <= recorded


def test_a_recording_that_fails_leaves_nothing(ros, tmp_path):
    peer = Peer()
    with pytest.raises(RuntimeError), record_bag(peer.node, tmp_path / "demo.mcap"):
        raise RuntimeError
    peer.node.destroy_node()
    assert not list(tmp_path.iterdir())
