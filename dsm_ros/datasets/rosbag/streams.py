"""Properties of a bag's image topics, derived from their names and first messages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from dsm_ros.datasets.rosbag.bag import Bag, BagTopic
from dsm_ros.messages.image_kind import ImageKind, kind_of

IMAGE_TYPES = ("sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage")
INFO_TYPE = "sensor_msgs/msg/CameraInfo"
TRANSPORTS = ("compressed", "compressedDepth", "zstd")  # suffixes that image_transport adds to a topic's name
DEPTH_WORDS = {"depth", "stereo", "range", "tof"}
DRAWN_WORDS = {"debug", "overlay", "annotated", "visual", "visualization", "detections", "result", "labels", "mask"}
DRAWN_WORDS |= {"segmentation", "semantic", "confidence", "disparity", "normals"}
COMMON_WORDS = {"image", "raw", "rect", "rectified", "color", "colour", "rgb", "mono", "depth", "camera", "registered"}
COMMON_WORDS |= {"aligned", "to", "stereo", ""}
RECTIFIED_WORDS = {"rect", "rectified", "undist", "undistort", "undistorted"}
INFRARED_WORDS = {"ir", "infra", "infra1", "infra2", "infrared", "thermal", "lwir", "amplitude", "intensity"}


@dataclass(frozen=True)
class ImageStream:
    """One image topic with the properties of its first message.

    base: the topic's name without the suffix of image_transport. frame: the frame of the first message, without a
    leading slash. form: encoding or compressed format. info: the camera_info topic in the same namespace.
    """

    topic: BagTopic
    base: str
    kind: ImageKind
    frame: str
    form: str
    info: BagTopic | None

    @property
    def folder(self) -> str:
        """The namespace of the camera's topics."""
        return self.base.rpartition("/")[0]

    @property
    def transport_rank(self) -> int:
        """0 for raw images, 1 for compressed images."""
        return 0 if self.topic.msgtype == IMAGE_TYPES[0] else 1

    @property
    def is_depth(self) -> bool:
        """Whether the topic contains depth, judged by its encoding, and for 16-bit grey by its name."""
        if self.kind is ImageKind.GREY_16:
            return self.has_word(DEPTH_WORDS) and not self.has_word(INFRARED_WORDS | DRAWN_WORDS)
        return self.kind is ImageKind.DEPTH and not self.has_word(INFRARED_WORDS | DRAWN_WORDS)

    @property
    def is_named_depth(self) -> bool:
        """Whether the last two parts of the name contain a word for depth."""
        return bool(DEPTH_WORDS & _words("/".join(self.base.split("/")[-2:])))

    def has_word(self, words: set[str]) -> bool:
        """Return whether the topic's name contains any of the given words."""
        return bool(words & _words(self.base))

    @property
    def is_rectified(self) -> bool:
        """Whether the name says that the images are rectified, for example image_rect of image_proc."""
        return self.has_word(RECTIFIED_WORDS)

    @property
    def is_infrared(self) -> bool:
        """Whether the name says infrared or thermal."""
        return self.has_word(INFRARED_WORDS)

    def kinship(self, other: ImageStream) -> tuple[int, int]:
        """Return the similarity of two topics' names: numbers of common leading parts and of common camera words."""
        return self.shared_namespace(other), len((_words(self.base) & _words(other.base)) - COMMON_WORDS)

    def shared_namespace(self, other: ImageStream) -> int:
        """Return the number of leading parts that two topics' names share."""
        mine, others = self.base.split("/")[1:-1], other.base.split("/")[1:-1]
        return next(
            (i for i, (a, b) in enumerate(zip(mine, others, strict=False)) if a != b), min(len(mine), len(others))
        )


def image_streams(bag: Bag) -> list[ImageStream]:
    """Return the image topics of a bag that have at least one message."""
    return [_stream(bag, topic) for topic in bag.of_type(*IMAGE_TYPES)]


def _stream(bag: Bag, topic: BagTopic) -> ImageStream:
    message = bag.first(topic)
    parent, _, last = topic.name.rpartition("/")
    base = parent if last in TRANSPORTS else topic.name
    info = bag.topics.get(f"{base.rpartition('/')[0]}/camera_info")
    form: Any = getattr(message, "encoding", None) or getattr(message, "format", "")
    is_info = info is not None and info.msgtype == INFO_TYPE
    frame = message.header.frame_id.lstrip("/")
    return ImageStream(topic, base, kind_of(message), frame, str(form), info if is_info else None)


def _words(name: str) -> set[str]:
    """Return the words of a topic's name, for example aligned, depth, to and color of aligned_depth_to_color."""
    return set(re.split(r"[/_\-.]", name.lower()))
