"""Subscriptions to the CameraInfo of one camera, including drivers that publish CameraInfo once and latched."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from dsm_ros.node.interface.node_scope import NodeScope, Switch
from dsm_ros.node.interface.topics import CAMERA_INFO, LATCHED_CAMERA_INFO

CHECK_PERIOD_S = 1.0


class CameraInfoInput:
    """Subscribes to camera_info until the scope is closed.

    A second, latched subscription exists only after a latched publisher was found, because any other publisher would
    log a QoS warning about a latched subscription.

    prefix: of the topic, for example front/ for a camera of a rig. take: called with each CameraInfo.
    """

    def __init__(self, scope: NodeScope, prefix: str, take: Callable[[Any], None]):
        self._node, self._name, self._checked_s = scope.node, prefix + CAMERA_INFO.name, -math.inf
        scope.subscription(replace(CAMERA_INFO, name=self._name), take)
        latched = replace(LATCHED_CAMERA_INFO, name=self._name)
        self._latched = Switch(scope, lambda made: made.subscription(latched, take))

    def subscribe_latched(self) -> None:
        """Look for a latched publisher, at most once a second, and subscribe to its last message."""
        now_s = time.monotonic()
        if now_s - self._checked_s < CHECK_PERIOD_S:
            return
        self._checked_s = now_s
        publishers = self._node.get_publishers_info_by_topic(self._name)
        if any(is_latched(publisher.qos_profile) for publisher in publishers):
            self._latched.turn(True)


def is_latched(qos: QoSProfile) -> bool:
    """Return whether a publisher keeps its last message for late subscriptions.

    qos_check_compatible of rclpy returns a warning for every publisher, because LATCHED leaves its liveliness open.
    """
    return qos.durability == DurabilityPolicy.TRANSIENT_LOCAL and qos.reliability == ReliabilityPolicy.RELIABLE
