"""Suppression of the errors that a shutdown of ROS causes."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec

from rclpy.context import Context
from rclpy.executors import ExternalShutdownException

Given = ParamSpec("Given")


def interruptible(function: Callable[Given, None], context: Context) -> Callable[Given, None]:
    """Return the function with errors suppressed after a shutdown of ROS, when publishing fails."""

    def wrapper(*given: Given.args, **named: Given.kwargs) -> None:
        try:
            function(*given, **named)
        except ExternalShutdownException:
            pass
        except Exception:
            if context.ok():
                raise

    return wrapper
