"""Declaration of the parameters with their descriptions and ranges, and checks of their values."""

from __future__ import annotations

from dataclasses import Field, fields
from typing import Any

from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor
from rclpy.node import Node

from dsm_ros.node.interface.declaring import declare_parameter
from dsm_ros.node.parameters.name_checks import NAME_CHECKS
from dsm_ros.node.parameters.node_parameters import AT_START, CHOICES, NodeParameters


def declare(node: Node) -> None:
    """Declare every parameter with its description and range. Raises ValueError for a value that cannot be used."""
    for item in fields(NodeParameters):
        declare_parameter(node, item.name, item.default, describe(item))


def unknown(node: Node) -> list[str]:
    """Return the parameters of command line and parameter files that the node does not have, except QoS overrides.

    QoS overrides are declared when their topic is used, and a file for all nodes may name topics of other nodes.
    """
    given = node._parameter_overrides  # rclpy has no public access to values that no parameter uses
    return sorted(name for name in given if not (node.has_parameter(name) or name.startswith("qos_overrides.")))


def read(node: Node) -> NodeParameters:
    """Return the present values. Raises ValueError for an impossible value."""
    values = {item.name: node.get_parameter(item.name).value for item in fields(NodeParameters)}
    for name, value in values.items():
        if problem := impossible(name, value):
            raise ValueError(problem)
    return NodeParameters(**values)


def impossible(name: str, value: Any) -> str:
    """Return why a parameter cannot have a value; empty for a possible value or another node's parameter."""
    if name in CHOICES and value not in CHOICES[name]:
        return f"{name} is '{value}'; use {' or '.join(CHOICES[name])}"
    problem = NAME_CHECKS[name](value) if name in NAME_CHECKS else ""
    return f"{name}: {problem}" if problem else ""


def describe(item: Field[Any]) -> ParameterDescriptor:
    """Return the ROS descriptor of a parameter."""
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
    """Return when a parameter may change, and the choices of a parameter that has no range."""
    if item.name == AT_START:
        return "read once, at startup"
    choice = f"{' or '.join(CHOICES[item.name])}; " if item.name in CHOICES else ""
    return choice + ("changes apply at once" if item.metadata["live"] else "cannot change while the node is configured")
