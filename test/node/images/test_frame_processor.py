"""The order of images, with the fake localizer: the red value of an image is its place."""

import numpy as np
import pytest
import rclpy
from dds_peer import CAMERA
from fake_relocalizer import load
from std_msgs.msg import Header

from dsm_ros.localization.view import View
from dsm_ros.messages.pose import stamp_ns_of
from dsm_ros.node.images.frame_processor import FrameProcessor, NodeContext
from dsm_ros.node.images.image_preparer import PreparedImages
from dsm_ros.node.interface.conversions import stamp_msg
from dsm_ros.node.tf.base_frame import BaseFrame

MS = 1_000_000


class Camera:
    """A camera in front of a processor, and the reports of the processor."""

    def __init__(self, node):
        self.reports = []
        context = NodeContext("", BaseFrame(None, "", 0.0), None, None, np.zeros((6, 6)), [self.reports.append])
        self.processor = FrameProcessor(node, context)
        self.processor.use_map(load(None, "fake", None))

    def see(self, red, stamp_ms):
        view = View("", np.full((24, 32, 3), red, np.uint8), CAMERA, np.eye(4))
        self.processor.process(PreparedImages(Header(stamp=stamp_msg(stamp_ms * MS)), 0.0, ([view], {})))

    def answered_ms(self):
        return [stamp_ns_of(report.header.stamp) // MS for report in self.reports]


@pytest.fixture
def camera(ros):
    node = rclpy.create_node("processing")
    yield Camera(node)
    node.destroy_node()


def test_an_image_with_the_timestamp_of_the_last_image_is_skipped_counted_and_logged_once(camera, capfd):
    for red, stamp_ms in ((10, 1000), (160, 1000), (160, 1000), (11, 1033)):
        camera.see(red, stamp_ms)
    assert camera.answered_ms() == [1000, 1033]
    assert all(report.pose for report in camera.reports)
    assert camera.processor.faults.images_with_repeated_timestamp == 2
    assert capfd.readouterr().err.count("same timestamp") == 1


def test_two_older_images_are_skipped_and_the_third_starts_a_new_search(camera):
    for red, stamp_ms in ((10, 1000), (160, 900), (160, 930), (160, 960)):
        camera.see(red, stamp_ms)
    assert camera.answered_ms() == [1000, 960]
    assert camera.reports[-1].pose
    faults = camera.processor.faults
    assert (faults.images_out_of_order, faults.timestamp_jumps) == (2, 1)
