"""How others ask for help: action, trigger, hint, watch, change of map; and how they are told: initialpose."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from geometry_msgs.msg import PoseWithCovarianceStamped
from rclpy.node import Node
from std_msgs.msg import Empty
from std_srvs.srv import Empty as EmptyService
from std_srvs.srv import Trigger

from dsm_ros.geometry.trajectory import Missing
from dsm_ros.localization.result import Localized
from dsm_ros.localization.tracker import Tracker
from dsm_ros.msg import RelocalizationStatus
from dsm_ros.node.conversions import pose_to_msg
from dsm_ros.node.images.frame_processor import FrameProcessor
from dsm_ros.node.images.frame_report import Answer
from dsm_ros.node.outputs import Outputs
from dsm_ros.node.parameters import NodeParameters
from dsm_ros.node.rescue.base_frame import BaseFrame, same_message
from dsm_ros.node.rescue.pose_watch import Health, PoseWatch
from dsm_ros.node.rescue.relocalize_action import RelocalizeAction
from dsm_ros.node.rescue.requests import Rescue, RescueDesk
from dsm_ros.srv import LoadMap


@dataclass(frozen=True)
class Desk:
    """What the interface needs of the node."""

    processor: FrameProcessor
    outputs: Outputs
    base: BaseFrame
    describe: Callable[[Answer], RelocalizationStatus]
    is_active: Callable[[], bool]
    load_map: Callable[[str], int]


class RescueInterface:
    """Made when the node is configured; ``see`` is called with every answer, from the worker's thread."""

    def __init__(self, node: Node, values: NodeParameters, desk: Desk):
        self._node, self._values, self._desk = node, values, desk
        self._rescues = RescueDesk(self._on_success)
        self._sent: PoseWithCovarianceStamped | None = None
        self._initialpose = (
            node.create_publisher(PoseWithCovarianceStamped, "initialpose", 1) if values.publish_initialpose else None
        )
        self._inputs = [
            node.create_subscription(PoseWithCovarianceStamped, "initialpose", self._on_hint, 1),
            node.create_subscription(Empty, "~/trigger", lambda _: self._start("asked by ~/trigger"), 1),
        ]
        self._services = [
            node.create_service(Trigger, "~/reset", self._on_reset),
            node.create_service(EmptyService, "~/reinitialize_global_localization", self._on_reinitialize),
            node.create_service(LoadMap, "~/load_map", self._on_load_map),
        ]
        self._action = RelocalizeAction(
            node, self.begin, self._rescues.close, desk.is_active, desk.describe, lambda: desk.outputs.map_frame
        )
        health = Health(values.watch_timeout_s, values.watch_max_sigma_m)
        self._watch = (
            PoseWatch(node, values.watch_topic, values.watch_type, health, self._start) if values.watch_topic else None
        )

    @property
    def is_waiting(self) -> bool:
        """Whether somebody waits for a pose."""
        return self._rescues.is_open

    def see(self, answer: Answer) -> None:
        """Show an answer to those who wait."""
        self._rescues.see(answer)

    def begin(self, timeout_s: float, hint: PoseWithCovarianceStamped | None) -> Rescue:
        """Search from scratch, or around a hint, and open a request for the next pose."""
        self._desk.processor.use(Tracker.reset)
        if hint is not None:
            self._take_hint(hint)
        return self._rescues.begin(timeout_s)

    def use(self, values: NodeParameters) -> None:
        """Change how long a rescue goes on and how far a hint reaches."""
        self._values = values

    def close(self) -> None:
        """Take everything back."""
        self._action.close()
        if self._watch:
            self._watch.close()
        for subscription in self._inputs:
            self._node.destroy_subscription(subscription)
        for service in self._services:
            self._node.destroy_service(service)
        if self._initialpose:
            self._node.destroy_publisher(self._initialpose)

    def _start(self, why: str) -> None:
        self._node.get_logger().info(f"relocalizing: {why}")
        self.begin(self._values.rescue_timeout_s, None)

    def _on_hint(self, message: PoseWithCovarianceStamped) -> None:
        if not same_message(message, self._sent):
            self._take_hint(message)

    def _take_hint(self, message: PoseWithCovarianceStamped) -> None:
        desk = self._desk
        camera_frame = desk.processor.camera_frame
        hint = desk.base.hint(message, desk.outputs.map_frame, camera_frame, self._values.hint_radius_m)
        if isinstance(hint, str):
            self._node.get_logger().warning(hint)
            desk.processor.use(lambda tracker: tracker.refuse_hint(hint))
            return
        x, y, z = hint.map_T_camera[:3, 3]
        text = f"searching within {hint.radius_m:.1f} m of ({x:.2f}, {y:.2f}, {z:.2f}) in {desk.outputs.map_frame}"
        self._node.get_logger().info(text)
        desk.processor.use(lambda tracker: tracker.hint(hint))

    def _on_success(self, answer: Answer) -> None:
        if self._initialpose is None or not isinstance(answer.result, Localized):
            return
        map_T_base = self._desk.base.map_T_base(answer.result.map_T_camera, answer.header.frame_id)
        if isinstance(map_T_base, Missing):
            self._node.get_logger().warning(f"initialpose is not sent: {map_T_base.reason}")
            return
        header = self._desk.outputs.header(answer.header.stamp)
        self._sent = pose_to_msg(map_T_base, answer.result.covariance_66, header)
        self._initialpose.publish(self._sent)

    def _on_reset(self, request: Any, response: Any) -> Any:
        self._desk.processor.use(Tracker.reset)
        response.success, response.message = True, "searching from scratch"
        return response

    def _on_reinitialize(self, request: Any, response: Any) -> Any:
        """What AMCL offers by this name and Nav2's behaviour trees call."""
        self._start("asked by ~/reinitialize_global_localization")
        return response

    def _on_load_map(self, request: Any, response: Any) -> Any:
        try:
            response.keyframes = self._desk.load_map(request.map)
            response.success, response.message = True, f"{request.map} is loaded"
        except Exception as error:  # whatever it is, the old map stays in use and the caller is told
            response.success, response.message = False, str(error)
            self._node.get_logger().error(f"load_map: {error}")
        return response
