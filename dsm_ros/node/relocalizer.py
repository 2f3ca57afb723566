"""Content of a configured node: map, network, publishers, subscriptions, services and threads."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from rclpy.node import Node

from dsm_ros.errors import DsmError
from dsm_ros.node.images.cameras import Cameras
from dsm_ros.node.images.frame_processor import FrameProcessor, NodeContext
from dsm_ros.node.images.image_input import ImageInput
from dsm_ros.node.images.image_preparer import EncodeAhead, ImagePreparer
from dsm_ros.node.interface.fault_log import FaultLog
from dsm_ros.node.interface.node_scope import NO_CLOCK, NodeScope, has_time, ros_time_s
from dsm_ros.node.maps.loading import Loaded, Loader
from dsm_ros.node.maps.map_roots import map_problem
from dsm_ros.node.outputs.activity import Activity
from dsm_ros.node.outputs.diagnostics import Diagnostics, NodeHealth
from dsm_ros.node.outputs.outputs import Outputs
from dsm_ros.node.parameters.node_parameters import NodeParameters
from dsm_ros.node.rescue.image_demand import ImageDemand
from dsm_ros.node.rescue.initialpose import InitialPose
from dsm_ros.node.rescue.requests import Failure, RescueRequests
from dsm_ros.node.rescue.rescue_interface import RescueContext, RescueInterface
from dsm_ros.node.tf.base_frame import BaseFrame
from dsm_ros.node.tf.map_broadcaster import MapBroadcaster
from dsm_ros.node.tf.transforms import Transforms

INACTIVE = Failure("inactive", "the node is not active")
DEACTIVATED = Failure("inactive", "the node was deactivated")


@dataclass(frozen=True)
class Active:
    """Content of an active node that a configured node does not have."""

    scope: NodeScope
    images: ImageInput


class Relocalizer:
    """Content of a configured node, which is created completely or not at all, and closed as a whole.

    Passes on errors of the loader and of rclpy, after it has closed everything that it created, the newest first.
    """

    def __init__(self, node: Node, values: NodeParameters, loader: Loader):
        self._values, self._loader = values, loader
        self._active: Active | None = None
        self._scope, self._log = NodeScope(node), FaultLog(node)
        with self._scope.closed_on_error():
            loaded = loader(values, values.map, None) if values.map else None
            self._activity = Activity()
            self._outputs, transforms = Outputs(self._scope, self._activity), Transforms(self._scope)
            self._broadcaster = self._make_broadcaster(transforms)
            base = values.base(transforms)
            self._cameras = Cameras(values.camera_names(), values.rig_frame(), transforms, values.camera_of())
            initialpose = InitialPose(self._scope, base, self._outputs) if values.publish_initialpose else None
            self._requests = RescueRequests(partial(ros_time_s, node), initialpose.publish if initialpose else None)
            self._requests.refuse(INACTIVE)
            self._processor = FrameProcessor(node, self._node_context(base, transforms))
            self._demand = ImageDemand(self._scope, self._requests, transforms, values.continuous)
            update = self._demand.update
            context = RescueContext(self._processor, self._outputs, self._requests, base, initialpose, update)
            self._rescue = RescueInterface(self._scope, values, context)
            self._scope.on_close(self.deactivate)
            if loaded:
                self._use_map(loaded)

    @property
    def active_rescue(self) -> RescueInterface | None:
        """The rescue interface while the node is active, else None."""
        return self._rescue if self._active else None

    def refuse_requests(self, why: Failure) -> None:
        """End all requests for a pose, and refuse new requests until the next activation."""
        self._requests.refuse(why)

    @property
    def values(self) -> NodeParameters:
        """The parameters in use."""
        return self._values

    def activate(self) -> None:
        """Subscribe to the cameras. Stays inactive if rclpy raises an error."""
        scope = NodeScope(self._scope.node)
        with scope.closed_on_error():
            prepare = ImagePreparer(self._cameras, self._encoder).prepare
            process, counts = self._processor.process, self._activity.restart()
            images = ImageInput(scope, self._values, self._cameras, prepare, process, counts)
            self._demand.attach(images)
        self._active = Active(scope, images)
        self._requests.accept()

    def deactivate(self) -> None:
        """Unsubscribe from the cameras after the current image; does nothing while inactive."""
        active, self._active = self._active, None
        if active is None:
            return
        self._requests.refuse(DEACTIVATED)
        self._demand.attach(None)
        try:
            active.scope.close()
        finally:
            self._processor.reset()
            if self._broadcaster:
                self._broadcaster.forget()

    def report_health(self, diagnostics: Diagnostics) -> None:
        """Publish diagnostics, and a status with stale_images once for each interval without images."""
        if self._active is None:
            diagnostics.publish_inactive("inactive")
            return
        limit_s = self._values.stale_after_s
        if self._values.continuous and (silent_s := self._active.images.new_silence_s(limit_s)):
            report_silence = partial(self._publish_silence, silent_s, limit_s)
            self._processor.between_images(report_silence)
        if not has_time(self._scope.node):
            self._log.warn("clock", NO_CLOCK)
        self._activity.sample(time.monotonic())
        diagnostics.publish(self._health(self._active.images))

    def load_map(self, map_uri: str) -> int:
        """Replace the map and return the number of keyframes. The old map stays in use if the loader fails."""
        if problem := map_problem(map_uri, self._values.map_roots, self._values.map):
            raise DsmError(problem)
        loaded = self._loader(self._values, map_uri, self._processor.loaded)
        self._use_map(loaded)
        return len(loaded.map_T_keyframes_N44)

    def close(self) -> None:
        """Deactivate, then destroy everything, the newest first."""
        self._scope.close()

    def apply(self, changes: dict[str, Any]) -> None:
        """Apply changes of live parameters, by name, from the next image on."""
        values = self._values = replace(self._values, **changes)
        self._demand.use(values.continuous)
        if self._active:
            self._active.images.restart_silence()
        self._rescue.use(values)
        if self._broadcaster:
            self._broadcaster.use(values.broadcast_settings())
        self._processor.use_config(values.localizer_config())

    def _make_broadcaster(self, transforms: Transforms) -> MapBroadcaster | None:
        if not self._values.publish_tf:
            return None
        return MapBroadcaster(self._scope, transforms, self._values.broadcast_settings())

    def _node_context(self, base: BaseFrame, transforms: Transforms) -> NodeContext:
        values, receivers = self._values, (self._requests.deliver, self._outputs.publish)
        return NodeContext(
            values.odom_frame, base, transforms, self._broadcaster, values.map_covariance_66(), receivers
        )

    def _health(self, images: ImageInput) -> NodeHealth:
        silent_s = images.silent_s if images.silent_s > self._values.stale_after_s else 0.0
        return NodeHealth(
            self._activity,
            self._processor.faults,
            not self._demand.is_needed,
            silent_s,
            self._processor.loaded,
            self._broadcaster is not None,
            has_time(self._scope.node),
        )

    def _publish_silence(self, silent_s: float, limit_s: float) -> None:
        self._outputs.publish(self._processor.silence(silent_s, limit_s))

    def _encoder(self) -> EncodeAhead | None:
        loaded = self._processor.loaded
        return loaded.localizer.encode_ahead if loaded else None

    def _use_map(self, loaded: Loaded) -> None:
        def switch() -> None:
            self._processor.use_map(loaded)
            self._outputs.show_map(loaded)

        self._processor.between_images(switch)
