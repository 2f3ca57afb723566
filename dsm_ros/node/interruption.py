"""Suppression of the errors that a shutdown of ROS, by Ctrl-C or SIGTERM, causes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec

from rclpy.context import Context
from rclpy.executors import ExternalShutdownException

Given = ParamSpec("Given")


@contextmanager
def until_interrupted(context: Context) -> Iterator[None]:
    """Run the block, and suppress an error that it raises after a shutdown of ROS: publishing fails from then on."""
    try:
        yield
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except Exception:
        if context.ok():
            raise


def interruptible(function: Callable[Given, None], context: Context) -> Callable[Given, None]:
    """Return the function with errors suppressed after a shutdown of ROS."""

    def wrapper(*given: Given.args, **named: Given.kwargs) -> None:
        with until_interrupted(context):
            function(*given, **named)

    return wrapper
