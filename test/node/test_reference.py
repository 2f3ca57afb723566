"""The generated pages of docs/ equal what the code says, and the node has no other topics, services and actions."""

import time
from functools import partial
from pathlib import Path

import pytest
from fake_relocalizer import load
from rclpy.action import get_action_names_and_types
from rclpy.parameter import Parameter

from dsm_ros.node import reference
from dsm_ros.node.interface.topics import ACTIONS, COMPRESSED_IMAGE, PUBLISHED, SERVICES, SUBSCRIBED, WATCHED_ODOMETRY
from dsm_ros.node.relocalizer_node import RelocalizerNode

DOCS = Path(__file__).resolve().parents[2] / "docs"
NAMESPACE = "/reference"
OF_RCLPY = {"/rosout", "/parameter_events", f"{NAMESPACE}/relocalizer/transition_event", "/clock"}
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
    node = RelocalizerNode(load, namespace=NAMESPACE)
    node.set_parameters([Parameter(name, value=value) for name, value in EVERYTHING.items()])
    node.trigger_configure()
    node.trigger_activate()
    yield node
    node.release()
    node.destroy_node()


def absolute(name):
    """The full name of a topic or service of the node."""
    return name if name.startswith("/") else f"{NAMESPACE}/{name.replace('~', 'relocalizer')}"


def resolved(items):
    """Full names and types of documented topics or servers."""
    names = [EVERYTHING["watch_topic"] if "watch" in item.name else item.name for item in items]
    full = [absolute(name) for name in names]
    return {(name, reference.type_name(item.kind)) for name, item in zip(full, items, strict=True)}


def known(found):
    """Names and types but those of rclpy's own topics and services, and of the topics and services inside an action."""
    ours = {(name, kind) for name, (kind,) in found if name not in OF_RCLPY and "/_action/" not in name}
    return {(name, kind) for name, kind in ours if not kind.startswith(OF_RCLPYS_SERVICES)}


def of_node(names_and_types, node):
    """The query of rclpy's graph for one node."""
    return partial(names_and_types, node.get_name(), node.get_namespace())


def actions_below(namespace, node):
    """Names and types of the actions below a namespace that a node knows of."""
    return [(name, kinds) for name, kinds in get_action_names_and_types(node) if name.startswith(namespace)]


def discovered(query, expected):
    """Return the names and types that a query finds, as soon as they are those expected, or after 20 s."""
    deadline_s = time.monotonic() + 20.0
    while True:
        found = known(query())
        if found == expected or time.monotonic() > deadline_s:
            return found
        time.sleep(0.1)


def test_the_node_subscribes_and_publishes_what_is_documented(active):
    subscribed = resolved([topic for topic in SUBSCRIBED if topic not in ALTERNATIVES])
    assert discovered(of_node(active.get_subscriber_names_and_types_by_node, active), subscribed) == subscribed
    published = resolved(PUBLISHED)
    assert discovered(of_node(active.get_publisher_names_and_types_by_node, active), published) == published


def test_the_node_serves_what_is_documented(active):
    services, actions = resolved(SERVICES), resolved(ACTIONS)
    assert discovered(of_node(active.get_service_names_and_types_by_node, active), services) == services
    assert discovered(partial(actions_below, NAMESPACE, active), actions) == actions
