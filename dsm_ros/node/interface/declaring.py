"""Declaration of one ROS parameter, with error messages that name the parameter."""

from __future__ import annotations

from typing import Any

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
from rclpy.node import Node
from rclpy.parameter import Parameter


def declare_parameter(node: Node, name: str, default: Any, descriptor: ParameterDescriptor) -> Any:
    """Declare a parameter and return its value. Raises ValueError for a value of another type or out of range."""
    try:
        return node.declare_parameter(name, default, descriptor).value
    except InvalidParameterTypeException as error:
        raise ValueError(f"{name} must be of type {type_name(Parameter.Type.from_parameter_value(default))}") from error
    except InvalidParameterValueException as error:
        limits = [*descriptor.integer_range, *descriptor.floating_point_range]
        if not limits:  # refused by a callback, which gives the reason
            raise
        raise ValueError(f"{name} is out of range; use {limits[0].from_value} to {limits[0].to_value}") from error


def type_problem(node: Node, parameter: Parameter[Any]) -> str:
    """Return why a declared parameter cannot have a value of another type; empty if its type is right."""
    if not node.has_parameter(parameter.name):
        return ""
    wanted = node.describe_parameter(parameter.name)
    if wanted.dynamic_typing or wanted.type == parameter.type_.value:
        return ""
    return f"{parameter.name} must be of type {type_name(Parameter.Type(wanted.type))}"


def type_name(kind: Parameter.Type) -> str:
    """Return the ROS name of a parameter type, for example double."""
    return kind.name.lower()
