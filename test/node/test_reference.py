"""The generated pages of docs/ equal what the code says, and the node has no other topics, services and actions."""

from pathlib import Path

import pytest
from fake_relocalizer import load
from rclpy.action import get_action_server_names_and_types_by_node
from rclpy.parameter import Parameter

from dsm_ros.node import reference
from dsm_ros.node.interface import ACTIONS, COMPRESSED_IMAGE, PUBLISHED, SERVICES, SUBSCRIBED, WATCHED_ODOMETRY
from dsm_ros.node.relocalizer_node import RelocalizerNode

DOCS = Path(__file__).resolve().parents[2] / "docs"
OF_RCLPY = {"/rosout", "/parameter_events", "/relocalizer/transition_event", "/clock"}
OF_RCLPYS_SERVICES = ("rcl_interfaces/", "lifecycle_msgs/", "type_description_interfaces/")
EVERYTHING = {"map": "fake", "odom_frame": "odom", "publish_initialpose": True, "watch_topic": "slam_pose"}

ALTERNATIVES = (COMPRESSED_IMAGE, WATCHED_ODOMETRY)  # in place of IMAGE and WATCHED_POSE


@pytest.mark.parametrize("page", ["parameters", "topics"])
def test_a_committed_page_is_what_is_generated(page):
    generated = getattr(reference, f"{page}_page")()
    assert (DOCS / f"{page}.md").read_text() == generated, "run python -m dsm_ros.node.reference docs"


@pytest.fixture
def active(ros):
    """A node with all topics that it may have at the same time."""
    node = RelocalizerNode(load)
    node.set_parameters([Parameter(name, value=value) for name, value in EVERYTHING.items()])
    node.trigger_configure()
    node.trigger_activate()
    yield node
    node.release()
    node.destroy_node()


def resolved(items):
    """Full names and types of documented topics or servers."""
    names = [EVERYTHING["watch_topic"] if "watch" in item.name else item.name for item in items]
    full = [f"/{name.replace('~', 'relocalizer').lstrip('/')}" for name in names]
    return {(name, reference.type_name(item.kind)) for name, item in zip(full, items, strict=True)}


def known(found):
    """Names and types but those of rclpy's own topics and services, and of the topics and services inside an action."""
    ours = {(name, kind) for name, (kind,) in found if name not in OF_RCLPY and "/_action/" not in name}
    return {(name, kind) for name, kind in ours if not kind.startswith(OF_RCLPYS_SERVICES)}


def test_the_node_subscribes_and_publishes_what_is_documented(active):
    where = active.get_name(), active.get_namespace()
    subscribed = known(active.get_subscriber_names_and_types_by_node(*where))
    assert subscribed == resolved([topic for topic in SUBSCRIBED if topic not in ALTERNATIVES])
    assert known(active.get_publisher_names_and_types_by_node(*where)) == resolved(PUBLISHED)


def test_the_node_serves_what_is_documented(active):
    where = active.get_name(), active.get_namespace()
    assert known(active.get_service_names_and_types_by_node(*where)) == resolved(SERVICES)
    assert known(get_action_server_names_and_types_by_node(active, *where)) == resolved(ACTIONS)
