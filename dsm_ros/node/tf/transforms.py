"""Listener of /tf and /tf_static, with a transform buffer and the parents that other nodes give to frames."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from functools import partial
from typing import Any

from rclpy.clock import JumpThreshold
from rclpy.duration import Duration

from dsm_ros.geometry.pose import Pose44, interpolate
from dsm_ros.geometry.trajectory import Missing
from dsm_ros.messages.pose import stamp_ns_of, transform_from_msg
from dsm_ros.node.interface.node_scope import NodeScope, Switch, ros_time_s
from dsm_ros.node.interface.topics import TF_IN, TF_STATIC
from dsm_ros.node.tf.parents import Parents
from dsm_ros.node.tf.transform_buffer import TransformBuffer, TransformStore

EXTRAPOLATED_NS = range(0, 300_000_001, 20_000_000)
VELOCITY_NS = 100_000_000  # over which a velocity is measured
BACKWARD_JUMP_S = 1.0
WARNING_PERIOD_S = 5.0


class Transforms:
    """Subscribes to /tf_static, and on demand to /tf, until the scope is closed. Any thread may call its methods."""

    def __init__(self, scope: NodeScope):
        self._node, self._store, self._parents = scope.node, make_store(), Parents(partial(ros_time_s, scope.node))
        self._tf_topic = scope.node.resolve_topic_name(TF_IN.name)
        self._switch = Switch(scope, lambda made: made.subscription(TF_IN, self._on_tf))
        static = scope.subscription(TF_STATIC, self._on_static)
        self._static_topic = static.topic_name
        on_time_jump(scope, self.clear)

    def listen(self, is_needed: bool) -> None:
        """Subscribe to /tf only while transforms are needed, because receiving a message costs time."""
        if self._switch.turn(is_needed) and not is_needed:
            self.clear()

    def lookup(self, target: str, source: str, stamp_ns: int | None) -> Pose44 | Missing:
        """Return target_T_source at a time (None: the newest), or why it is missing; does not wait."""
        return self._store.lookup(target, source, stamp_ns)

    def extrapolated(self, target: str, source: str, stamp_ns: int) -> Pose44 | None:
        """Return target_T_source at a time, continued with constant velocity from at most 0.3 s before; else None."""
        for age_ns in EXTRAPOLATED_NS:
            last = self.lookup(target, source, stamp_ns - age_ns)
            if not isinstance(last, Missing):
                before = self.lookup(target, source, stamp_ns - age_ns - VELOCITY_NS)
                if age_ns == 0 or isinstance(before, Missing):
                    return last
                return interpolate(before, last, 1 + age_ns / VELOCITY_NS)
        return None

    def wait(self, target: str, source: str, stamp_ns: int | None, timeout_s: float) -> Pose44 | Missing:
        """Return target_T_source after a wait of at most timeout_s. Never call it in a callback of the node."""
        return self._store.wait(target, source, stamp_ns, timeout_s)

    def other_parent(self, child: str) -> str | None:
        """Return a description of the parent that other nodes give to a frame; None if there is no other parent."""
        claim = self._parents.other(child)
        if claim is None:
            return None
        topic = self._static_topic if claim.static else self._tf_topic
        return f"{claim.parent} on {topic} (from {self._other_nodes(topic) or 'another node'})"

    def announce(self, transform: Any) -> None:
        """Remember a TransformStamped that this node is about to send, to ignore it when it arrives on /tf."""
        self._parents.announce(transform)

    def clear(self) -> None:
        """Forget all transforms except static transforms."""
        self._store.clear()
        self._parents.clear()

    def _on_tf(self, message: Any) -> None:
        for transform in message.transforms:
            self._add(transform, stamp_ns_of(transform.header.stamp))

    def _on_static(self, message: Any) -> None:
        for transform in message.transforms:
            self._add(transform, None)

    def _add(self, transform: Any, stamp_ns: int | None) -> None:
        parent, child = transform.header.frame_id, transform.child_frame_id
        try:
            self._store.add(parent, child, stamp_ns, transform_from_msg(transform))
            self._parents.add(transform, static=stamp_ns is None)
        except ValueError as error:
            text = f"a transform {parent} -> {child} is ignored: {error}"
            self._node.get_logger().warning(text, throttle_duration_sec=WARNING_PERIOD_S)

    def _other_nodes(self, topic: str) -> str:
        infos = self._node.get_publishers_info_by_topic(topic)
        names = {f"{info.node_namespace.rstrip('/')}/{info.node_name}" for info in infos}
        unknown = {name for name in names if "_UNKNOWN_" in name}  # rcl's name for a node that is not discovered yet
        return " or ".join(sorted(names - unknown - {self._node.get_fully_qualified_name()}))


def make_store() -> TransformStore:
    """Return a buffer of tf2 where tf2_ros is installed, else a TransformBuffer."""
    if importlib.util.find_spec("tf2_ros") is None:
        return TransformBuffer()
    from dsm_ros.node.tf.tf2_buffer import Tf2Buffer

    return Tf2Buffer()


def on_time_jump(scope: NodeScope, callback: Callable[[], None]) -> None:
    """Call a function when the node's clock goes back by a second or changes its source, until the scope is closed."""
    threshold = JumpThreshold(min_forward=None, min_backward=Duration(seconds=-BACKWARD_JUMP_S), on_clock_change=True)
    clock = scope.node.get_clock()
    scope.on_close(clock.create_jump_callback(threshold, post_callback=lambda _: callback()).unregister)
