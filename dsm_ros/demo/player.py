"""Publishing of a sequence as the images of a live camera."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence as SequenceOf

import rclpy
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from rclpy.signals import SignalHandlerOptions
from rich.console import Console
from rich.progress import track
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import Header

from dsm_ros.datasets.frame import Frame, parse_frames
from dsm_ros.datasets.open_sequence import open_sequence
from dsm_ros.demo.child_process import send_whole_images
from dsm_ros.errors import DsmError
from dsm_ros.node.interface.conversions import camera_to_msg, image_to_jpeg_msg, image_to_msg, stamp_msg

CAMERA_FRAME = "camera_optical_frame"
DISCOVERY_TIMEOUT_S = 60.0
LAST_DELIVERY_S = 1.0


class CameraTopics:
    """The topics of a camera; JPEGs are encoded only for subscribers."""

    def __init__(self, node: Node):
        self._image = node.create_publisher(Image, "image", qos_profile_sensor_data)
        self._jpeg = node.create_publisher(CompressedImage, "image/compressed", qos_profile_sensor_data)
        self._info = node.create_publisher(CameraInfo, "camera_info", qos_profile_sensor_data)

    def wait_for_subscribers(self) -> None:
        """Wait until image and camera_info have a subscriber. Raises DsmError when no subscriber appears."""
        deadline_s = time.monotonic() + DISCOVERY_TIMEOUT_S
        while not (self._image.get_subscription_count() and self._info.get_subscription_count()):
            if time.monotonic() > deadline_s:
                raise DsmError("image and camera_info have no subscriber; check that the relocalizer is active")
            time.sleep(0.05)

    def publish(self, frame: Frame, stamp_ns: int) -> None:
        """Publish one frame."""
        header = Header(stamp=stamp_msg(stamp_ns), frame_id=CAMERA_FRAME)
        self._info.publish(camera_to_msg(frame.camera, header))
        self._image.publish(image_to_msg(frame.image_HW3, header))
        if self._jpeg.get_subscription_count():
            self._jpeg.publish(image_to_jpeg_msg(frame.image_HW3, header))


def play(frames: SequenceOf[Frame], rate_hz: float) -> int:
    """Publish frames from memory, so that reading frames takes no CPU time from the node.

    Returns the shift of the stamps, ns.
    """
    node = Node("sequence_player")
    topics = CameraTopics(node)
    try:
        topics.wait_for_subscribers()
        start_s, shift_ns = time.monotonic(), time.time_ns() - frames[0].stamp_ns
        for count, frame in enumerate(track(frames, "streaming", console=Console(stderr=True))):
            time.sleep(max(0.0, start_s + count / rate_hz - time.monotonic()))
            topics.publish(frame, frame.stamp_ns + shift_ns)
        time.sleep(LAST_DELIVERY_S)
    finally:
        node.destroy_node()
    return shift_ns


def play_sequence(name: str, frames: str | None, rate_hz: float) -> None:
    """Read the frames of a sequence, publish the frames, then print the shift of the stamps, ns.

    An interrupt ends the publishing early without a failure.
    """
    sequence = open_sequence(name)
    indices = parse_frames(frames, len(sequence))
    read = [sequence[i] for i in track(indices, "reading frames", console=Console(stderr=True))]
    send_whole_images()
    rclpy.init(args=sys.argv, signal_handler_options=SignalHandlerOptions.NO)  # the program has its own handlers
    try:
        print(play(read, rate_hz))
    except KeyboardInterrupt:
        pass
    finally:
        rclpy.try_shutdown()
