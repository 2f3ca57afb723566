"""Messages of a camera, and bags that contain them."""

import numpy as np
from robot_bag import OPTICAL, START_NS, Robot, camera_info, image, write

from dsm_ros.datasets.rosbag.sequence import RosbagSequence
from dsm_ros.datasets.source_options import SourceOptions

ROBOT = Robot(images=2)
CAMERA = ROBOT.room.camera


def picture(topic, frame=OPTICAL, encoding="rgb8", camera=CAMERA):
    channels = 1 if encoding in ("mono8", "16UC1", "mono16") else 3
    dtype = np.uint16 if encoding in ("16UC1", "mono16") else np.uint8
    shape = (camera.height_px, camera.width_px, channels)[: 3 if channels > 1 else 2]
    return START_NS, topic, image(START_NS, frame, np.full(shape, 100, dtype), encoding)


def info(topic, frame=OPTICAL, camera=CAMERA, ns=START_NS):
    return ns, topic, camera_info(ns, frame, camera)


def depth(topic, frame=OPTICAL, camera=CAMERA, metres=2.0):
    pixels = np.full((camera.height_px, camera.width_px), metres * 1000, np.uint16)
    return START_NS, topic, image(START_NS, frame, pixels, "16UC1")


def opened(tmp_path, *messages, **options):
    return RosbagSequence(write(tmp_path / "bag", messages), SourceOptions(**options))
