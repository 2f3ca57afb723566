"""Demand for images: cameras and /tf are subscribed to only while images are localized."""

from __future__ import annotations

from dsm_ros.node.images.image_input import ImageInput
from dsm_ros.node.interface.node_scope import NodeScope, Switch
from dsm_ros.node.rescue.requests import RescueRequests
from dsm_ros.node.tf.transforms import Transforms

CHECK_PERIOD_S = 0.1


class ImageDemand:
    """Subscribes while ``continuous`` is set or a request for a pose is open. Any thread may call its methods.

    continuous: whether every image is localized.
    """

    def __init__(self, scope: NodeScope, requests: RescueRequests, transforms: Transforms, continuous: bool):
        self._requests, self._transforms, self._continuous = requests, transforms, continuous
        self._checks = Switch(scope, lambda made: made.steady_timer(CHECK_PERIOD_S, self._check))
        self._images: ImageInput | None = None
        self.update()

    def use(self, continuous: bool) -> None:
        """Change whether every image is localized."""
        self._continuous = continuous
        self.update()

    def attach(self, images: ImageInput | None) -> None:
        """Control the image input of an active node; None when the node is inactive."""
        self._images = images
        self.update()

    @property
    def is_needed(self) -> bool:
        """Whether images are localized."""
        return self._continuous or self._requests.any_open

    def update(self) -> None:
        """Subscribe or unsubscribe after a request was opened or ended."""
        is_needed = self.is_needed
        self._transforms.listen(is_needed)
        if self._images:
            self._images.listen(is_needed)
        self._checks.turn(self._requests.any_open)

    def _check(self) -> None:
        """End the requests that were canceled or have reached their timeout."""
        self._requests.check()
        self.update()
