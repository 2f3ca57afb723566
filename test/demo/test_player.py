"""The player is a camera: live stamps as far apart as recorded, JPEGs only for those who listen."""

import threading
import time

import numpy as np
import pytest
import rclpy
from rclpy.node import Node
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from dsm_ros.datasets.frame import Frame
from dsm_ros.demo import player
from dsm_ros.errors import DsmError
from dsm_ros.geometry.camera import Camera
from dsm_ros.messages.image import image_from_msg
from dsm_ros.messages.pose import stamp_ns_of

STAMPS_NS = [0, 33_000_000, 100_000_000]


@pytest.fixture
def frames():
    image_HW3 = np.full((24, 32, 3), (200, 40, 0), np.uint8)
    camera = Camera(32, 24, 40.0, 40.0, 16.0, 12.0)
    return [Frame(str(i), stamp_ns, image_HW3, camera, None, None) for i, stamp_ns in enumerate(STAMPS_NS)]


def test_stamps_are_live_and_as_far_apart_as_recorded(ros, frames, monkeypatch):
    monkeypatch.setattr(player, "LAST_DELIVERY_S", 0.5)
    listener, heard = Node("listener"), {Image: [], CompressedImage: [], CameraInfo: []}
    for kind, topic in ((Image, "image"), (CompressedImage, "image/compressed"), (CameraInfo, "camera_info")):
        listener.create_subscription(kind, topic, heard[kind].append, qos_profile_sensor_data)
    shifts_ns = []
    playing = threading.Thread(target=lambda: shifts_ns.append(player.play(frames, 5.0)))
    before_ns = time.time_ns()
    playing.start()
    while playing.is_alive():
        rclpy.spin_once(listener, timeout_sec=0.05)
    playing.join()
    listener.destroy_node()
    (shift_ns,) = shifts_ns
    assert before_ns <= shift_ns <= time.time_ns()
    for messages in heard.values():
        assert messages
        assert {stamp_ns_of(message.header.stamp) - shift_ns for message in messages} <= set(STAMPS_NS)
    for message in (heard[Image][0], heard[CompressedImage][0]):
        colour = image_from_msg(message)[12, 16].astype(int)
        assert np.abs(colour - (200, 40, 0)).max() < 10


def test_without_listeners_no_jpeg_is_made(ros, frames, monkeypatch):
    def forbidden(*arguments):
        raise AssertionError("a JPEG that nobody asked for")

    monkeypatch.setattr(player, "image_to_jpeg_msg", forbidden)
    node = Node("camera")
    player.CameraTopics(node).publish(frames[0], 1)
    node.destroy_node()


def test_nobody_listening_is_an_error(ros, frames, monkeypatch):
    monkeypatch.setattr(player, "DISCOVERY_TIMEOUT_S", 0.2)
    with pytest.raises(DsmError, match="relocalizer is active"):
        player.play(frames, 30.0)
