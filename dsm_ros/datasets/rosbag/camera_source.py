"""Calibrations of an image topic, from its camera_info topic or from a calibration file."""

from __future__ import annotations

from bisect import bisect_right
from pathlib import Path
from typing import Any

from dsm_ros.datasets.camera_info import read_camera_info_file
from dsm_ros.datasets.rosbag.bag import Bag, BagTopic
from dsm_ros.datasets.rosbag.streams import INFO_TYPE, ImageStream
from dsm_ros.errors import SequenceError
from dsm_ros.geometry.camera import Camera
from dsm_ros.messages.camera import camera_of_image
from dsm_ros.messages.pose import stamp_ns_of

MAX_INFO_DELAY_NS = 10_000_000


class CameraSource:
    """Calibrations ordered by stamp; an image has the last calibration before it, or else the first calibration.

    source: the topic or file. frame: the frame of the first calibration, empty for a file.
    """

    def __init__(self, source: str, calibrations: list[tuple[int, Camera]], frame: str = ""):
        self.source, self.frame = source, frame
        self._stamps_ns = [stamp_ns for stamp_ns, _ in calibrations]
        self._cameras = [camera for _, camera in calibrations]

    def __len__(self) -> int:
        return len(self._cameras)

    def at(self, stamp_ns: int) -> Camera:
        """Return the camera of the image with a stamp; a calibration may be stamped up to 10 ms after its image."""
        return self._cameras[max(0, bisect_right(self._stamps_ns, stamp_ns + MAX_INFO_DELAY_NS) - 1)]


def camera_from_file(path: Path) -> CameraSource:
    """Return the camera of a calibration file. Raises SequenceError when the file is invalid."""
    return CameraSource(str(path), [(0, read_camera_info_file(path))])


def camera_from_topic(bag: Bag, topic: BagTopic, is_rectified: bool) -> CameraSource:
    """Return the calibrations of a camera_info topic; uncalibrated messages are left out.

    is_rectified: use P, the camera of the rectified image. Raises SequenceError when no message can be used, or when
    the messages have several frames.
    """
    calibrations: list[tuple[int, Camera]] = []
    problem, frame = "", ""
    for bag_ns, message in bag.messages(topic):
        try:
            camera = camera_of_image(message, is_rectified)
        except ValueError as error:
            problem = problem or str(error)
            continue
        frame = frame or _frame(message)
        if _frame(message) != frame:
            frames = f"'{frame}' and '{_frame(message)}'"
            raise SequenceError(
                f"{bag.name}: {topic.name} has the frames {frames}, so several cameras publish to it;"
                " give the right calibration with --camera-info FILE.yaml"
            )
        if not calibrations or calibrations[-1][1] != camera:
            calibrations.append((stamp_ns_of(message.header.stamp) or bag_ns, camera))
    if not calibrations:
        remedy = "give the right calibration with --camera-info FILE.yaml"
        raise SequenceError(f"{bag.name}: {topic.name} cannot be used ({problem}); {remedy}")
    return CameraSource(topic.name, sorted(calibrations, key=lambda item: item[0]), frame)


def choose_info(bag: Bag, image: ImageStream, streams: list[ImageStream]) -> BagTopic:
    """Return the camera_info topic of an image topic.

    The result is the camera_info in the namespace of the image topic, or else the only camera_info in the frame of the
    images that belongs to no other image topic. Raises SequenceError when there is no such camera_info, or when its
    frame is the frame of another camera.
    """
    taken = {stream.info.name for stream in streams if stream.info}
    rest = [topic for topic in bag.of_type(INFO_TYPE) if topic.name not in taken]
    found = [image.info] if image.info else [t for t in rest if _frame(bag.first(t)) in ("", image.frame)]
    if len(found) != 1:
        topics = ", ".join(topic.name for topic in bag.of_type(INFO_TYPE)) or "none"
        raise SequenceError(
            f"{bag.name} has no camera_info for {image.topic.name}; record it, or select one with --camera-info"
            f" (available: {topics})"
        )
    frame = _frame(bag.first(found[0]))
    if frame != image.frame and frame in {stream.frame for stream in streams} - {""}:
        raise SequenceError(
            f"{bag.name}: {found[0].name} (frame '{frame}') belongs to another camera than {image.topic.name} (frame"
            f" '{image.frame}'); select the right one with --camera-info"
        )
    return found[0]


def _frame(message: Any) -> str:
    return str(message.header.frame_id).lstrip("/")
