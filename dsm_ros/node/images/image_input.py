"""Image input of an active node: subscriptions to the cameras, and the pipeline of images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from dsm_ros.node.images.camera_info_input import CameraInfoInput
from dsm_ros.node.images.cameras import Cameras
from dsm_ros.node.images.image_groups import ImageGroup, ImageGroups
from dsm_ros.node.images.image_pipeline import ImageCounts, ImagePipeline, Stage
from dsm_ros.node.images.image_preparer import PreparedImages
from dsm_ros.node.interface.interruption import interruptible
from dsm_ros.node.interface.node_scope import NodeScope, Switch, ros_time_s
from dsm_ros.node.interface.topics import COMPRESSED_IMAGE, IMAGE
from dsm_ros.node.parameters.node_parameters import NodeParameters
from dsm_ros.process import default_threads, use_threads


class ImageInput:
    """Subscribes to the cameras on demand until the scope is closed, which waits for the image that is being processed.

    prepare, process: called in the threads of the pipeline. counts: updated by the pipeline.
    """

    def __init__(
        self,
        scope: NodeScope,
        values: NodeParameters,
        cameras: Cameras,
        prepare: Callable[[ImageGroup], PreparedImages],
        process: Callable[[PreparedImages], None],
        counts: ImageCounts,
    ):
        self._cameras, self._now_s = cameras, partial(ros_time_s, scope.node)
        self.restart_silence()
        threads = values.threads or default_threads()
        self._pipeline = ImagePipeline(
            Stage(prepare, partial(use_threads, max(1, threads // 2))),  # encoding takes less time than localization
            Stage(interruptible(process, scope.node.context), partial(use_threads, threads)),
            counts,
        )
        scope.on_close(self._pipeline.stop)
        self._groups = ImageGroups(values.camera_names(), values.rig_slop_s)
        self._switch = Switch(scope, partial(self._subscribe_all, values))

    def listen(self, is_needed: bool) -> None:
        """Subscribe to the cameras only while images are needed, because receiving an image costs time."""
        if self._switch.turn(is_needed):
            self.restart_silence()

    def restart_silence(self) -> None:
        """Restart the measurement of the time without images."""
        self._arrived_s, self._is_reported = self._now_s(), False

    @property
    def silent_s(self) -> float:
        """Time (s) since the last image, by the clock of ROS."""
        return max(0.0, self._now_s() - self._arrived_s)

    def new_silence_s(self, limit_s: float) -> float | None:
        """Return the time (s) since the last image when it first exceeds a limit, else None."""
        silent_s = self.silent_s
        if self._is_reported or silent_s <= limit_s:
            return None
        self._is_reported = True
        return silent_s

    def _subscribe_all(self, values: NodeParameters, scope: NodeScope) -> None:
        for name in values.camera_names():
            self._subscribe(scope, name, values.image_transport)

    def _subscribe(self, scope: NodeScope, name: str, transport: str) -> None:
        prefix = f"{name}/" if name else ""
        image = replace(IMAGE, name=scope.node.resolve_topic_name(prefix + IMAGE.name))
        if transport == "compressed":
            image = replace(COMPRESSED_IMAGE, name=f"{image.name}/compressed")  # as image_transport names it
        info = CameraInfoInput(scope, prefix, partial(self._cameras.take_camera_info, name))
        scope.subscription(image, partial(self._on_image, name, info))

    def _on_image(self, name: str, info: CameraInfoInput, message: Any) -> None:
        self.restart_silence()
        info.subscribe_latched()
        group = self._groups.take(name, message)
        if group and (replaced := self._pipeline.put(group)):
            replaced.discard()
