"""RViz and Foxglove layouts fit what the node publishes over real DDS."""

import json
from pathlib import Path

from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    LivelinessPolicy,
    QoSCompatibility,
    QoSProfile,
    ReliabilityPolicy,
    qos_check_compatible,
)
from ruamel.yaml import YAML

CONFIG = Path(__file__).resolve().parents[3] / "config"


def offered(peer, topic):
    """What the node in the other process publishes on a topic."""
    peer.wait(lambda: peer.node.get_publishers_info_by_topic(topic))
    (info,) = peer.node.get_publishers_info_by_topic(topic)
    return info


def asked_for(topic):
    """The QoS that an RViz display asks for."""
    words = {name: value.upper().replace(" ", "_") for name, value in topic.items() if name.endswith("Policy")}
    return QoSProfile(
        depth=topic["Depth"],
        durability=DurabilityPolicy[words["Durability Policy"]],
        reliability=ReliabilityPolicy[words["Reliability Policy"]],
        history=HistoryPolicy[words["History Policy"]],
        liveliness=LivelinessPolicy.AUTOMATIC,
    )


def test_rviz_displays_get_what_the_node_publishes_in_the_frame_that_they_show(peer):
    peer.ask(25, 13_000_000_000)
    peer.wait(lambda: peer.heard["pose"])
    rviz = YAML(typ="safe").load(CONFIG / "dsm.rviz")["Visualization Manager"]
    assert rviz["Global Options"]["Fixed Frame"] == peer.heard["pose"][-1].header.frame_id
    shown = [d for d in rviz["Displays"] if d.get("Topic", {}).get("Value", "").startswith("/relocalizer/")]
    for display in shown:
        info = offered(peer, display["Topic"]["Value"])
        kind = display["Class"].split("/")[1]
        assert info.topic_type.split("/")[-1] in (kind, f"{kind}Stamped")
        compatible, why = qos_check_compatible(info.qos_profile, asked_for(display["Topic"]))
        assert compatible == QoSCompatibility.OK, (display["Name"], why)
    (hint,) = peer.node.get_subscriptions_info_by_topic("/initialpose")
    assert hint.topic_type == "geometry_msgs/msg/PoseWithCovarianceStamped"  # of RViz's and Foxglove's pose estimate


def test_foxglove_panels_show_types_and_fields_that_the_node_publishes(peer):
    peer.ask(26, 13_500_000_000)
    peer.wait(lambda: peer.heard["cloud"])
    panels = json.loads((CONFIG / "foxglove.json").read_text())["configById"]
    scene = next(panel for name, panel in panels.items() if name.startswith("3D!"))
    ours = [topic for topic in scene["topics"] if topic.startswith("/relocalizer/")]  # the others are the camera's
    kinds = {offered(peer, topic).topic_type.split("/")[-1] for topic in ours}
    assert kinds <= {"PointCloud2", "MarkerArray", "PoseWithCovarianceStamped"}
    assert scene["followTf"] == peer.heard["cloud"][-1].header.frame_id
    fields = {field.name for field in peer.heard["cloud"][-1].fields}
    assert {topic["colorField"] for topic in scene["topics"].values() if "colorField" in topic} <= fields
    (image,) = [panel for name, panel in panels.items() if name.startswith("Image!")]
    assert offered(peer, image["imageMode"]["imageTopic"]).topic_type == "sensor_msgs/msg/Image"
