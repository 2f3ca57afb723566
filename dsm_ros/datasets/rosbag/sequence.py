"""Reader of ROS bags: images with camera, depth and pose."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from dsm_ros.datasets.camera_info import FILE_NAME
from dsm_ros.datasets.description import Description
from dsm_ros.datasets.frame import Frame, FrameHeader
from dsm_ros.datasets.rosbag.bag import Bag, BagTopic
from dsm_ros.datasets.rosbag.bag_description import describe_bag
from dsm_ros.datasets.rosbag.camera_source import camera_from_file, camera_from_topic, choose_info
from dsm_ros.datasets.rosbag.depth_choice import DepthFinder
from dsm_ros.datasets.rosbag.depth_source import NO_DEPTH, DepthSource
from dsm_ros.datasets.rosbag.image_choice import choose_image
from dsm_ros.datasets.rosbag.pose_source import PoseFinder, PoseSource, missing_pose_reason
from dsm_ros.datasets.rosbag.stamp_order import StampOrder
from dsm_ros.datasets.rosbag.streams import INFO_TYPE, image_streams
from dsm_ros.datasets.rosbag.transforms import BagTransforms
from dsm_ros.datasets.source_options import DEFAULT_SOURCES, SourceOptions
from dsm_ros.errors import ImageError, SequenceError
from dsm_ros.geometry.pose import Pose44
from dsm_ros.geometry.trajectory import Missing
from dsm_ros.geometry.transform_tree import bare
from dsm_ros.messages.camera import camera_of_size
from dsm_ros.messages.image import image_from_msg

Value = TypeVar("Value")

STATUS_TYPE = "dsm_ros/msg/RelocalizationStatus"
OWN_NODE = "relocalizer"


class RosbagSequence:
    """Frames of a bag in the order of their stamps, read by the rules in docs/recordings.md.

    Raises SequenceError when the bag has no camera images or no calibration. Depth and poses are searched for on first
    use.
    """

    def __init__(self, path: Path, options: SourceOptions = DEFAULT_SOURCES):
        self.bag, self._options = Bag(path), options
        self.name = self.bag.name
        self.streams = image_streams(self.bag)
        self.image = choose_image(self.streams, options.image, self.name)
        self._file = _calibration_file(self.bag, options)
        self._info: BagTopic | None
        if self._file:
            self._info, self.camera = self.image.info, camera_from_file(self._file)
        else:
            self._info, is_rectified = self._info_topic(), options.rectified or self.image.is_rectified
            self.camera = camera_from_topic(self.bag, self._info, is_rectified)
        self.frame = self.image.frame or self.camera.frame
        self.order = StampOrder.of(self.bag.entries(self.image.topic), self.image.topic.name)

    def __len__(self) -> int:
        return len(self.order.entries)

    def __getitem__(self, index: int) -> Frame:
        query, depth = self.query(index), self.depth
        depth_HW = f"{NO_DEPTH}: {depth}" if isinstance(depth, str) else depth.at(query.stamp_ns, query.camera)
        pose = self._pose(query.stamp_ns)
        return replace(query, depth_HW=_known(depth_HW), map_T_camera=_known(pose), missing=_reasons(depth_HW, pose))

    def header(self, index: int) -> FrameHeader:
        """Return name, stamp and pose of a frame; images and depth images are not decoded."""
        stamp_ns, depth = self.order.entries[index].stamp_ns, self.depth
        no_depth = f"{NO_DEPTH}: {depth}" if isinstance(depth, str) else depth.why_missing(stamp_ns)
        pose = self._pose(stamp_ns)
        return FrameHeader(str(stamp_ns), stamp_ns, _known(pose), _reasons(no_depth, pose))

    def query(self, index: int) -> Frame:
        """Return image, camera and stamp of a frame.

        Raises ImageError for a damaged image, and SequenceError when image and camera differ in aspect ratio or frame.
        """
        entry = self.order.entries[index]
        try:
            message = self.bag.message(self.image.topic, entry)
            image_HW3 = image_from_msg(message)
        except (ValueError, SequenceError) as error:
            raise ImageError(f"image {index} of {self.name}: {error}") from error
        self._check_frame(message)
        try:
            camera = camera_of_size(self.camera.at(entry.stamp_ns), image_HW3.shape[1], image_HW3.shape[0])
        except ValueError as error:
            raise SequenceError(f"image {index} of {self.name}: {error}") from error
        return Frame(str(entry.stamp_ns), entry.stamp_ns, image_HW3, camera)

    def _check_frame(self, message: Any) -> None:
        if bare(message.header.frame_id) != self.image.frame:
            frames = f"'{self.image.frame}' and '{message.header.frame_id}'"
            raise SequenceError(
                f"{self.image.topic.name} has images of the frames {frames}; record each camera on a topic of its own"
            )

    def describe(self) -> Description:
        """Return the sources of image, camera, depth and poses."""
        return describe_bag(self)

    @cached_property
    def stamps_ns(self) -> list[int]:
        """The stamps of the images."""
        return [entry.stamp_ns for entry in self.order.entries]

    @cached_property
    def transforms(self) -> BagTransforms:
        """The transform tree of the bag."""
        return BagTransforms(self.bag, self.image.topic.name, self._options.world_frame, bool(self._own_folders()))

    @cached_property
    def depth(self) -> DepthSource | str:
        """The depth of the images, or the reason why there is no depth."""
        info = None if self._file else self._info
        finder = DepthFinder(self.bag, self.image, self.frame, info, self.transforms.tree, self.stamps_ns)
        name = self._options.depth
        return finder.named(name, self.streams) if name else finder.found(self.streams)

    @cached_property
    def poses(self) -> PoseSource | str:
        """The poses of the images, or the reason why there are no poses."""
        if not self.order.has_stamps:
            return f"the images of {self.image.topic.name} have no timestamps"
        finder = PoseFinder(self.bag, self.transforms, self.frame, self.stamps_ns)
        option, world = self._options.pose, self._options.world_frame
        if option is None:
            return finder.found(world)
        if any(option.startswith(f"{folder}/") for folder in self._own_folders()):
            raise SequenceError(f"{option} was published by a relocalizer and is not ground truth; give another topic")
        return finder.named(option, world)

    def _pose(self, stamp_ns: int) -> Pose44 | str:
        if isinstance(self.poses, str):
            return f"no pose: {self.poses}"
        pose = self.poses.at(stamp_ns)
        return missing_pose_reason(pose) if isinstance(pose, Missing) else pose

    def _own_folders(self) -> set[str]:
        """Return the names of recorded relocalizer nodes, whose poses are not ground truth."""
        topics = self.bag.topics.values()
        return {t.folder for t in topics if t.msgtype == STATUS_TYPE or t.folder.endswith(OWN_NODE)}

    def _info_topic(self) -> BagTopic:
        wanted = self._options.camera_info
        if wanted is None:
            return choose_info(self.bag, self.image, self.streams)
        if wanted not in {topic.name for topic in self.bag.of_type(INFO_TYPE)}:
            topics = ", ".join(topic.name for topic in self.bag.of_type(INFO_TYPE)) or "none"
            raise SequenceError(
                f"--camera-info {wanted} is neither a file nor a camera_info topic of {self.name}; its topics: {topics}"
            )
        return self.bag.topics[wanted]


def _known(value: Value | str | None) -> Value | None:
    """Return a value, or None if it is the reason for a missing value."""
    return None if isinstance(value, str) else value


def _reasons(*values: object) -> tuple[str, ...]:
    """Return the reasons, without the values, among values and reasons."""
    return tuple(value for value in values if isinstance(value, str))


def _calibration_file(bag: Bag, options: SourceOptions) -> Path | None:
    """Return the file that overrides camera_info: the file given by the user, or else the bag's camera_info.yaml."""
    if options.camera_info:
        given = Path(options.camera_info)
        return given if given.is_file() else None
    beside = bag.folder / FILE_NAME
    return beside if beside.is_file() else None
