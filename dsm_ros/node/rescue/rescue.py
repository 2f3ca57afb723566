"""Rescue that the node starts itself, after a trigger, a service call or a problem of the watched topic."""

from __future__ import annotations

from typing import Any

from dsm_ros.node.images.frame_report import FrameReport
from dsm_ros.node.rescue.requests import Failure, RescueRequest


class Rescue:
    """Listener of a request that logs how the request ends.

    has_failed: whether the request has ended without a pose.
    """

    is_canceled = False

    def __init__(self, logger: Any):
        self.has_failed = False
        self._logger = logger

    def on_image(self, request: RescueRequest, report: FrameReport) -> None:
        """Do nothing, because ~/status reports each image."""

    def on_end(self, request: RescueRequest, outcome: FrameReport | Failure) -> None:
        """Log whether the rescue found a pose."""
        self.has_failed = isinstance(outcome, Failure)
        if isinstance(outcome, Failure):
            self._logger.warning(f"the rescue ended without a pose: {outcome.detail}")
        else:
            self._logger.info(f"the rescue found a pose; processed images: {request.frames}")
