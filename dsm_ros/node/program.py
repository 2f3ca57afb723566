"""Program of the relocalizer node: startup, executor, and an end within a second of SIGINT or SIGTERM."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from typing import NoReturn

import rclpy
from rclpy.exceptions import InvalidHandle
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rclpy.impl.implementation_singleton import rclpy_implementation
from rclpy.lifecycle import TransitionCallbackReturn
from rclpy.logging import get_logger
from rclpy.signals import SignalHandlerOptions

from dsm_ros.node.arguments import START_ERRORS, USAGE, asks_for_help, one_line
from dsm_ros.node.maps.loading import Loader, load
from dsm_ros.node.relocalizer_node import RelocalizerNode

CRASHED, CANNOT_START = 1, 2
MAX_SPIN_FAILURES, SPIN_PAUSE_S = 1000, 0.001  # maximum number of failures in a row, pause after a failure
MAX_FINISH_S = 0.3  # maximum wait for goals to end
RESULT_SENT_S = 0.2  # time for the executor to send the results of ended goals
MAX_JOIN_S = 0.3  # maximum wait for the executor's thread to end
RCLError = rclpy_implementation.RCLError


class Runner:
    """Starts a node and runs its callbacks in a thread, so that the main thread can react to signals at once.

    status: exit status of the program once the thread has ended.
    """

    def __init__(self, node: RelocalizerNode):
        self.status = 0
        self._node = node
        self._thread = threading.Thread(target=self._run, name="executor", daemon=True)
        self._end, self._wake = os.pipe()
        os.set_blocking(self._wake, False)
        signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)  # a signal in any thread wakes run()
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, lambda *_: None)

    def run(self) -> None:
        """Run the node until a signal arrives, or until it fails to start."""
        self._thread.start()
        os.read(self._end, 1)

    def join(self) -> None:
        """Wait until no callback uses the node any more; call it after a shutdown of ROS."""
        self._thread.join(MAX_JOIN_S)

    def _run(self) -> None:
        try:
            if self._node.get_parameter("autostart").value and not start(self._node):
                self.status = CANNOT_START
            else:
                spin(self._node)
        except Exception:
            self.status = CRASHED
            raise
        finally:
            os.write(self._wake, b"x")


def start(node: RelocalizerNode) -> bool:
    """Configure and activate the node; return whether both succeeded."""
    success = TransitionCallbackReturn.SUCCESS
    return node.trigger_configure() == success and node.trigger_activate() == success


def spin(node: RelocalizerNode) -> None:
    """Run callbacks until ROS is shut down. Raises an error of rclpy that repeats MAX_SPIN_FAILURES times in a row.

    One thread runs all callbacks, so each callback must be short. rclpy's executor with several threads would need four
    times the processor time for images at 30 Hz, while it holds Python's lock, and slow the localizer down.
    """
    executor, failures = SingleThreadedExecutor(), 0
    executor.add_node(node)
    while rclpy.ok():
        try:
            executor.spin_once()
            failures = 0
        except ExternalShutdownException:
            return
        except (InvalidHandle, RCLError):  # another thread is destroying an entity of the wait set
            failures += 1
            if failures > MAX_SPIN_FAILURES:
                raise
            time.sleep(SPIN_PAUSE_S)


def finish_requests(node: RelocalizerNode) -> None:
    """End all requests with the reason, and leave the executor some time to send the answers."""
    deadline_s, any_request = time.monotonic() + MAX_FINISH_S, node.end_requests()
    while node.end_requests() and time.monotonic() < deadline_s:
        time.sleep(0.01)
    node.send_results()
    if any_request:
        time.sleep(RESULT_SENT_S)


def end(status: int) -> NoReturn:
    """End the process without waiting for the image that is being processed, or for threads of torch and LanceDB."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def main(loader: Loader = load) -> NoReturn:
    """Run the node until it is interrupted; the exit status is 2 if ``autostart`` is set and the node cannot start."""
    try:
        if asks_for_help():
            print(USAGE)
            end(0)
        rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
        node = RelocalizerNode(loader)
    except START_ERRORS as error:
        get_logger("relocalizer").fatal(one_line(error))
        end(CANNOT_START)
    runner = Runner(node)
    runner.run()
    finish_requests(node)
    rclpy.try_shutdown()  # first, because what is still running then fails silently
    runner.join()
    node.destroy_node()
    end(runner.status)
