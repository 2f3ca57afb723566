"""Handling of Ctrl-C and SIGTERM: errors that a shutdown of ROS causes are ignored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec

from rclpy.context import Context
from rclpy.executors import ExternalShutdownException

Given = ParamSpec("Given")


@contextmanager
def until_interrupted(context: Context) -> Iterator[None]:
    """Run the block; an error once ROS is shut down ends it silently, because nothing can be published any more."""
    try:
        yield
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except Exception:
        if context.ok():
            raise


def interruptible(function: Callable[Given, None], context: Context) -> Callable[Given, None]:
    """Return a function that does the same, until it is interrupted."""

    def wrapper(*given: Given.args, **named: Given.kwargs) -> None:
        with until_interrupted(context):
            function(*given, **named)

    return wrapper
