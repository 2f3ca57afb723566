"""Play a sequence into ROS: image and camera_info at camera rate, stamps as recorded.

``python -m dsm_ros.node.sequence_player SEQUENCE [--frames 280:500] [--rate 30]``
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence as SequenceOf

import rclpy
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import qos_profile_sensor_data
from rich.console import Console
from rich.progress import track
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from dsm_ros.datasets.frame import Frame, parse_frames
from dsm_ros.datasets.open_sequence import open_sequence
from dsm_ros.node.conversions import camera_to_msg, image_to_msg, stamp_msg

CAMERA_FRAME = "camera_optical_frame"
DISCOVERY_TIMEOUT_S = 60.0
LAST_DELIVERY_S = 1.0


def wait_for_subscribers(publishers: SequenceOf[Publisher]) -> None:
    """Return once somebody listens to every topic; TimeoutError when nobody comes."""
    deadline_s = time.monotonic() + DISCOVERY_TIMEOUT_S
    while any(publisher.get_subscription_count() == 0 for publisher in publishers):
        if time.monotonic() > deadline_s:
            raise TimeoutError("nobody subscribes to image and camera_info; is the relocalizer active?")
        time.sleep(0.05)


def play(frames: SequenceOf[Frame], rate_hz: float) -> None:
    """Publish frames that are in memory already, so that reading them takes no time from others."""
    node = Node("sequence_player")
    image_publisher = node.create_publisher(Image, "image", qos_profile_sensor_data)
    info_publisher = node.create_publisher(CameraInfo, "camera_info", qos_profile_sensor_data)
    try:
        wait_for_subscribers((image_publisher, info_publisher))
        start_s = time.monotonic()
        for count, frame in enumerate(track(frames, "streaming", console=Console(stderr=True))):
            time.sleep(max(0.0, start_s + count / rate_hz - time.monotonic()))
            header = Header(stamp=stamp_msg(frame.stamp_ns), frame_id=CAMERA_FRAME)
            info_publisher.publish(camera_to_msg(frame.camera, header))
            image_publisher.publish(image_to_msg(frame.image_HW3, header))
        time.sleep(LAST_DELIVERY_S)
    finally:
        node.destroy_node()


def main() -> None:
    """Read the frames, then play them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sequence")
    parser.add_argument("--frames")
    parser.add_argument("--rate", type=float, default=30.0, help="frames per second")
    arguments = parser.parse_args(rclpy.utilities.remove_ros_args(sys.argv)[1:])
    sequence = open_sequence(arguments.sequence)
    indices = parse_frames(arguments.frames, len(sequence))
    frames = [sequence[i] for i in track(indices, "reading frames", console=Console(stderr=True))]
    rclpy.init(args=sys.argv)
    try:
        play(frames, arguments.rate)
    except KeyboardInterrupt:
        pass
    finally:
        rclpy.try_shutdown()


if __name__ == "__main__":
    main()
