"""Parameters ``qos_overrides.TOPIC.ENTITY.POLICY``, which override the QoS of topics."""

from __future__ import annotations

from rcl_interfaces.msg import IntegerRange, ParameterDescriptor
from rclpy.node import Node
from rclpy.qos import QoSPolicyKind, QoSProfile
from rclpy.qos_overriding_options import QoSOverridingOptions

from dsm_ros.node.interface.declaring import declare_parameter
from dsm_ros.node.interface.topics import Topic

POLICIES = ("history", "depth", "reliability", "durability")
NAMES: dict[str, tuple[str, ...]] = {
    "history": ("keep_last", "keep_all"),
    "reliability": ("best_effort", "reliable"),
    "durability": ("volatile", "transient_local"),
}
MAX_DEPTH = 100_000


def overriding_options(node: Node, topic: Topic, entity: str) -> QoSOverridingOptions:
    """Declare the parameters that override the QoS of a topic, and return the options that let rclpy apply them.

    rclpy declares the same parameters, but does not name the parameter of a value that it cannot use. entity: publisher
    or subscription. Raises ValueError for such a value.
    """
    suffix = f"_{topic.entity_id}" if topic.entity_id else ""
    prefix = f"qos_overrides.{node.resolve_topic_name(topic.name)}.{entity}{suffix}"
    for policy in POLICIES:
        name = f"{prefix}.{policy}"
        if not node.has_parameter(name):
            declare_parameter(node, name, default(topic.qos, policy), describe(policy))
        value = node.get_parameter(name).value
        if policy in NAMES and value not in NAMES[policy]:
            raise ValueError(f"{name} is '{value}'; use {' or '.join(NAMES[policy])}")
    return QoSOverridingOptions([QoSPolicyKind[policy.upper()] for policy in POLICIES], entity_id=topic.entity_id)


def default(qos: QoSProfile, policy: str) -> str | int:
    """Return the value of a policy as a parameter."""
    value = getattr(qos, policy)
    return int(value) if policy == "depth" else str(value.name.lower())


def describe(policy: str) -> ParameterDescriptor:
    """Return the ROS descriptor of the parameter of a policy."""
    descriptor = ParameterDescriptor(description=f"{policy} of the QoS", read_only=True)
    if policy == "depth":
        descriptor.integer_range = [IntegerRange(from_value=1, to_value=MAX_DEPTH, step=1)]
    else:
        descriptor.additional_constraints = " or ".join(NAMES[policy])
    return descriptor
