"""Changes of parameters at run time: live parameters apply at once, others are refused while the node is configured."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields
from typing import Any

from rcl_interfaces.msg import SetParametersResult
from rclpy.node import Node

from dsm_ros.node.parameters.declaration import impossible
from dsm_ros.node.parameters.node_parameters import NodeParameters

LIVE = frozenset(item.name for item in fields(NodeParameters) if item.metadata["live"])
FIXED = frozenset(item.name for item in fields(NodeParameters)) - LIVE


class ParameterChanges:
    """Refuses impossible values and changes of parameters in use. rclpy checks types and ranges.

    is_configured: returns whether the node is configured. apply: called with changes of live parameters, by name.
    """

    def __init__(self, node: Node, is_configured: Callable[[], bool], apply: Callable[[dict[str, Any]], None]):
        self._is_configured, self._apply = is_configured, apply
        node.add_on_set_parameters_callback(self._on_set)

    def _on_set(self, parameters: Sequence[Any]) -> SetParametersResult:
        configured = self._is_configured()
        for parameter in parameters:
            if reason := refusal(parameter.name, parameter.value, configured):
                return SetParametersResult(successful=False, reason=reason)
        live = {parameter.name: parameter.value for parameter in parameters if parameter.name in LIVE}
        if configured and live:
            self._apply(live)
        return SetParametersResult(successful=True)


def refusal(name: str, value: Any, configured: bool) -> str:
    """Return why a parameter cannot be set to a value; empty if it can."""
    if configured and name in FIXED:
        instead = "call ~/load_map, or " if name == "map" else ""
        return f"{name} is in use: {instead}deactivate and clean up the node, set it, and configure the node again"
    return impossible(name, value)
