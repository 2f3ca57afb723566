import array

import cv2
import numpy as np
import pytest
from std_msgs.msg import Header

from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import make_pose
from dsm_ros.localization.result import SceneCoordinates
from dsm_ros.messages.camera import camera_from_msg
from dsm_ros.messages.image import image_from_msg
from dsm_ros.messages.pose import pose_from_msg, stamp_ns_of, transform_from_msg
from dsm_ros.node.interface import conversions as c

IMAGE = np.random.default_rng(0).integers(0, 255, (6, 8, 3), dtype=np.uint8)
POSE = make_pose(cv2.Rodrigues(np.array([0.2, -0.9, 0.4]))[0], [1.0, -2.0, 3.5])


def test_images_round_trip():
    message = c.image_to_msg(IMAGE, Header())
    assert isinstance(message.data, array.array)
    assert (image_from_msg(message) == IMAGE).all()


def test_cameras_round_trip():
    camera = Camera(640, 480, 517.3, 516.5, 318.6, 255.3, "plumb_bob", (0.26, -0.95, -0.005, 0.002, 1.16))
    assert camera_from_msg(c.camera_to_msg(camera, Header())) == camera
    pinhole = Camera(640, 480, 500, 500, 320, 240)
    assert camera_from_msg(c.camera_to_msg(pinhole, Header())) == pinhole


def test_poses_and_transforms_round_trip():
    covariance = np.arange(36.0).reshape(6, 6)
    pose = c.pose_to_msg(POSE, covariance, Header(frame_id="map"))
    assert pose_from_msg(pose) == pytest.approx(POSE)
    assert pose.pose.covariance.tolist() == covariance.ravel().tolist()
    assert transform_from_msg(c.transform_to_msg(POSE, Header(), "camera")) == pytest.approx(POSE)


def test_stamps_round_trip():
    assert stamp_ns_of(c.stamp_msg(1_700_000_000_123_456_789)) == 1_700_000_000_123_456_789


def test_clouds_are_organised_and_say_where_nothing_is_known():
    coords = np.arange(18.0).reshape(2, 3, 3)
    confidence = np.array([[1, 0.5, 0], [0.25, 1, 1]], np.float32)
    colors = np.full((2, 3, 3), (10, 20, 30), np.uint8)
    cloud = c.cloud_to_msg(SceneCoordinates(coords, confidence, np.zeros((2, 3, 2)), colors), Header(frame_id="map"))
    assert (cloud.height, cloud.width, cloud.point_step, cloud.row_step) == (2, 3, 20, 60)
    assert isinstance(cloud.data, array.array)
    points = np.frombuffer(cloud.data, c.POINT_DTYPE).reshape(2, 3)
    assert points["y"][1, 2] == 16.0
    assert np.isnan(points["x"][0, 2])
    assert points["confidence"][1, 0] == 0.25
    assert points["rgb"].view(np.uint32)[0, 0] == 10 << 16 | 20 << 8 | 30
    assert [field.name for field in cloud.fields] == ["x", "y", "z", "rgb", "confidence"]
