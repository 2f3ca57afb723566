"""rosbag2 recordings (sqlite3 and mcap), read without a ROS installation."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rosbags.highlevel import AnyReader, AnyReaderError
from rosbags.image import ImageError, message_to_cvimage
from rosbags.interfaces import Connection
from rosbags.typesys import Stores, get_typestore

from dsm_ros.messages.camera import camera_from_msg, camera_of_size
from dsm_ros.datasets.frame import Frame
from dsm_ros.messages.image import image_from_msg
from dsm_ros.messages.pose import pose_from_msg, stamp_ns_of
from dsm_ros.datasets.rosbag_poses import TransformTree, stamped_poses
from dsm_ros.datasets.rosbag_topics import choose_topics
from dsm_ros.datasets.trajectory import nearest_stamp
from dsm_ros.errors import SequenceError
from dsm_ros.geometry.camera import Camera
from dsm_ros.geometry.pose import Pose44

MAX_DEPTH_GAP_NS = 20_000_000


class RosbagSequence:
    """Colour frames of a bag with their depth (16UC1 mm or 32FC1 m) and pose: a pose topic, else TF.

    A relocalizer's own answers are no ground truth: where one was recorded, TF, which holds them, tells no poses.
    """

    def __init__(self, path: Path):
        self.name = path.stem
        try:
            self._reader = AnyReader([path], default_typestore=get_typestore(Stores.ROS2_JAZZY))
            self._reader.open()
            self._topics = choose_topics(self._reader.connections, str(path))
            self._images = self._stamps(self._topics.image)
            self._depths = self._stamps(self._topics.depth) if self._topics.depth else []
            self._camera = self._first_camera()
            self._tree, self._poses, self._pose_frame = self._read_tree(), *self._read_poses()
        except (AnyReaderError, OSError, struct.error, StopIteration) as error:
            raise SequenceError(f"cannot read bag {path}: {error or 'a topic is empty'}") from error
        self._depth_stamps_ns = np.array([stamp_ns for stamp_ns, _ in self._depths], dtype=np.int64)

    def __len__(self) -> int:
        return len(self._images)

    def __getitem__(self, index: int) -> Frame:
        stamp_ns, bag_ns = self._images[index]
        message = self._message(self._topics.image, bag_ns)
        try:
            image_HW3 = image_from_msg(message)
            camera = camera_of_size(self._camera, image_HW3.shape[1], image_HW3.shape[0])
        except ValueError as error:
            raise SequenceError(f"image {index} of {self.name}: {error}") from error
        nearest = nearest_stamp(self._depth_stamps_ns, stamp_ns, MAX_DEPTH_GAP_NS)
        depth_HW = self._depth(nearest) if nearest is not None else None
        pose = self._pose(stamp_ns, message.header.frame_id)
        return Frame(f"{stamp_ns}", stamp_ns, image_HW3, camera, depth_HW, pose)

    def _stamps(self, connection: Connection) -> list[tuple[int, int]]:
        """Return (header stamp, bag time) of each message, read from the first bytes alone."""
        stamps = []
        for _, bag_ns, raw in self._reader.messages([connection]):
            sec, nanosec = struct.unpack_from("<iI" if raw[1] else ">iI", raw, 4)
            stamps.append((sec * 1_000_000_000 + nanosec or bag_ns, bag_ns))
        return sorted(stamps)

    def _message(self, connection: Connection, bag_ns: int) -> Any:
        _, _, raw = next(self._reader.messages([connection], start=bag_ns, stop=bag_ns + 1))
        return self._reader.deserialize(raw, connection.msgtype)

    def _messages(self, connection: Connection) -> list[Any]:
        return [self._reader.deserialize(raw, connection.msgtype) for _, _, raw in self._reader.messages([connection])]

    def _first_camera(self) -> Camera:
        _, _, raw = next(self._reader.messages([self._topics.info]))
        info: Any = self._reader.deserialize(raw, self._topics.info.msgtype)
        try:
            return camera_from_msg(info)
        except ValueError as error:
            raise SequenceError(f"{self.name}: camera_info cannot be used: {error}") from error

    def _depth(self, index: int) -> NDArray[np.float32]:
        connection = self._topics.depth
        assert connection is not None
        raw_HW = _decode_depth(self._message(connection, self._depths[index][1]), f"depth {index} of {self.name}")
        return depth_in_metres(raw_HW)

    def _read_tree(self) -> TransformTree:
        static: list[Any] = []
        moving: list[Any] = []
        for connection in self._topics.transforms:
            target = static if connection.topic.endswith("tf_static") else moving
            for message in self._messages(connection):
                target.extend(message.transforms)
        return TransformTree(static, moving)

    def _read_poses(self) -> tuple[Any, str]:
        if self._topics.pose is None:
            return None, ""
        messages = self._messages(self._topics.pose)
        frame = next((getattr(message, "child_frame_id", "") for message in messages), "")
        return stamped_poses((stamp_ns_of(m.header.stamp), pose_from_msg(m)) for m in messages), frame

    def _pose(self, stamp_ns: int, camera_frame: str) -> Pose44 | None:
        if self._poses is None and self._topics.has_own_answers:
            return None
        if self._poses is None:
            return self._tree.in_world(camera_frame, stamp_ns)
        map_T_body = self._poses.at(stamp_ns)
        body_T_camera = self._tree.between(self._pose_frame, camera_frame, stamp_ns) if self._pose_frame else None
        return map_T_body if map_T_body is None or body_T_camera is None else map_T_body @ body_T_camera


def depth_in_metres(raw_HW: NDArray[np.generic]) -> NDArray[np.float32]:
    """Return depth as float32 metres, 0 = unknown, from uint16 millimetres or float metres (REP 118)."""
    if raw_HW.dtype == np.uint16:
        return raw_HW.astype(np.float32) / np.float32(1000)
    metres_HW = raw_HW.astype(np.float32)
    return np.where(np.isfinite(metres_HW) & (metres_HW > 0), metres_HW, np.float32(0))


def _decode_depth(message: Any, what: str) -> NDArray[np.generic]:
    try:
        return np.asarray(message_to_cvimage(message))
    except (ImageError, ValueError, TypeError) as error:
        raise SequenceError(f"{what} cannot be decoded ({error}); the recording may be damaged") from error
