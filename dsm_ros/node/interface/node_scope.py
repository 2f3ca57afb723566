"""Scope of publishers, subscriptions, services, actions and timers that are destroyed together."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from copy import copy
from typing import Any

from rclpy.action import ActionServer
from rclpy.callback_groups import MutuallyExclusiveCallbackGroup, ReentrantCallbackGroup
from rclpy.clock import Clock, ClockType
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.subscription import Subscription

from dsm_ros.geometry.trajectory import NS_PER_S
from dsm_ros.node.interface.interruption import interruptible
from dsm_ros.node.interface.qos_overrides import overriding_options
from dsm_ros.node.interface.topics import Server, Topic

NO_CLOCK = "use_sim_time is set, but nothing arrives on /clock"


class Switch:
    """Makes entities while they are needed, until its scope is closed. Any thread may call its methods.

    make: makes the entities in the scope that it is given.
    """

    def __init__(self, scope: NodeScope, make: Callable[[NodeScope], None]):
        self._node, self._lock = scope.node, threading.Lock()
        self._make: Callable[[NodeScope], None] | None = make
        self._made: NodeScope | None = None
        scope.on_close(self._close)

    def turn(self, is_on: bool) -> bool:
        """Create or destroy the entities; return whether the state has changed."""
        with self._lock:
            if self._make is None or is_on == (self._made is not None):
                return False
            if self._made:
                self._made.close()
                self._made = None
            else:
                made = NodeScope(self._node)
                with made.closed_on_error():
                    self._make(made)
                self._made = made
            return True

    def _close(self) -> None:
        self.turn(False)
        self._make = None  # which may hold the owner of this switch


class NodeScope:
    """Creates entities of a node, and destroys these entities when it is closed, the newest first.

    An entity that rclpy cannot create is not added to the scope.
    """

    def __init__(self, node: Node):
        self.node = node
        self._stack = ExitStack()

    @contextmanager
    def closed_on_error(self) -> Iterator[None]:
        """Close the scope if the block raises an error, so that the block creates all of its entities or none."""
        try:
            yield
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Destroy everything in the scope, the newest first; a second call does nothing."""
        self._stack.close()

    def on_close(self, function: Callable[..., object], *arguments: Any) -> None:
        """Call a function when the scope is closed."""
        self._stack.callback(function, *arguments)

    def publisher(self, topic: Topic) -> Publisher:
        """Return a new publisher."""
        qos = copy(topic.qos)  # overrides change it
        options = overriding_options(self.node, topic, "publisher")
        publisher = self.node.create_publisher(topic.kind, topic.name, qos, qos_overriding_options=options)
        self.on_close(self.node.destroy_publisher, publisher)
        return publisher

    def subscription(self, topic: Topic, callback: Callable[[Any], None]) -> Subscription:
        """Return a new subscription."""
        subscription = self.node.create_subscription(
            topic.kind,
            topic.name,
            callback,
            copy(topic.qos),  # overrides change it
            qos_overriding_options=overriding_options(self.node, topic, "subscription"),
        )
        self.on_close(self.node.destroy_subscription, subscription)
        return subscription

    def service(self, server: Server, callback: Callable[[Any, Any], Any]) -> None:
        """Offer a service. While a callback awaits a future, only further requests to the same service wait."""
        group = MutuallyExclusiveCallbackGroup()
        service = self.node.create_service(server.kind, server.name, callback, callback_group=group)
        self.on_close(self.node.destroy_service, service)

    def action(self, server: Server, execute: Callable[[Any], Any], **options: Any) -> None:
        """Offer an action, whose callbacks may await futures; options: further arguments of rclpy's ActionServer."""
        group = ReentrantCallbackGroup()
        action = ActionServer(self.node, server.kind, server.name, execute, callback_group=group, **options)
        self.on_close(self._destroy_action, action)

    def steady_timer(self, period_s: float, callback: Callable[[], None]) -> None:
        """Call a function periodically by wall time, also while simulated time stands still."""
        self._add_timer(period_s, callback, Clock(clock_type=ClockType.STEADY_TIME))

    def timer(self, period_s: float, callback: Callable[[], None]) -> None:
        """Call a function periodically, and ignore errors that a shutdown of ROS causes in the function."""
        self._add_timer(period_s, callback, None)

    def _add_timer(self, period_s: float, callback: Callable[[], None], clock: Clock | None) -> None:
        timer = self.node.create_timer(period_s, interruptible(callback, self.node.context), clock=clock)
        self.on_close(self.node.destroy_timer, timer)

    def _destroy_action(self, server: ActionServer) -> None:
        self.node.remove_waitable(server)  # first, because the executor cannot wait for a server without a handle
        with suppress(ValueError):  # rclpy removes the waitable a second time
            server.destroy()


def has_time(node: Node) -> bool:
    """Return whether the node's clock has a time; simulated time begins with the first message on /clock."""
    return bool(node.get_clock().now().nanoseconds)


def ros_time_s(node: Node) -> float:
    """Return the time (s) of the node's clock, which is simulated with use_sim_time."""
    return float(node.get_clock().now().nanoseconds / NS_PER_S)
