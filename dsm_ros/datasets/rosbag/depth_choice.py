"""Choice of a bag's depth topic; aligned and raw depth is preferred, and depth of another camera is never chosen."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, radians

import numpy as np

from dsm_ros.datasets.rosbag.bag import Bag, BagTopic
from dsm_ros.datasets.rosbag.camera_source import camera_from_topic
from dsm_ros.datasets.rosbag.depth_source import DepthSource, DepthView
from dsm_ros.datasets.rosbag.image_choice import own_depths
from dsm_ros.datasets.rosbag.streams import INFO_TYPE, ImageStream
from dsm_ros.errors import SequenceError
from dsm_ros.geometry.pose import pose_error
from dsm_ros.geometry.trajectory import Missing
from dsm_ros.geometry.transform_tree import TransformTree, bare
from dsm_ros.messages.depth import depth_from_msg

MAX_ALIGNED_OFFSET = 0.005  # in m and in degrees, for depth that counts as aligned
MAX_DEVICE_M, MAX_DEVICE_DEG = 0.2, 20.0  # maximum offset between the cameras of one device


class DepthFinder:
    """Chooses the depth topic for an image topic.

    frame: the frame of the images. info: the image topic's camera_info; None when a file overrides the camera_info.
    Without camera_info, depth in the frame of the images counts as aligned. stamps_ns: the stamps of the images.
    """

    def __init__(
        self,
        bag: Bag,
        image: ImageStream,
        frame: str,
        info: BagTopic | None,
        tree: TransformTree,
        stamps_ns: Sequence[int],
    ):
        self._bag, self._image, self._frame, self._info = bag, image, frame, info
        self._tree, self._stamps_ns = tree, stamps_ns

    def found(self, streams: Sequence[ImageStream]) -> DepthSource | str:
        """Return the depth of the topic that the rules choose, or the reason why there is no depth."""
        reasons = []
        for stream in sorted(own_depths(self._image, streams), key=self._rank):
            view = self._is_far(stream) or self._view(stream)
            if isinstance(view, DepthView):
                return DepthSource(self._bag, stream, view)
            reasons.append(view)
        return "; ".join(reasons[:2]) or self._why_none(streams)

    def named(self, name: str, streams: Sequence[ImageStream]) -> DepthSource:
        """Return the depth of the topic given by the user. Raises SequenceError when the topic cannot be used."""
        stream = next((stream for stream in streams if stream.topic.name == name), None)
        if stream is None:
            topics = ", ".join(stream.topic.name for stream in streams if stream.is_depth) or "none"
            raise SequenceError(f"{self._bag.name} has no depth topic {name}; topics for --depth: {topics}")
        view = self._view(stream)
        if isinstance(view, str):
            raise SequenceError(f"{self._bag.name}: {view}")
        return DepthSource(self._bag, stream, view)

    def _rank(self, stream: ImageStream) -> tuple[object, ...]:
        away_m, turned_deg = self._apart(stream) or (inf, inf)
        return not self._is_aligned(stream), stream.transport_rank, away_m + radians(turned_deg), stream.topic.name

    def _is_aligned(self, stream: ImageStream) -> bool:
        """Whether a depth topic shares the viewpoint of the images, by its frame or by a common camera_info."""
        frame = self._frame_of(stream)
        if frame == self._frame:
            return True
        if stream.info is None or stream.info != self._info:
            return False
        apart = self._apart(stream)
        return not frame or not self._frame or (apart is not None and max(apart) < MAX_ALIGNED_OFFSET)

    def _apart(self, stream: ImageStream) -> tuple[float, float] | None:
        """Return the distance (m, degrees) between depth and image camera in TF; None where TF has no transform."""
        ways = (self._tree.lookup(self._frame, self._frame_of(stream), stamp_ns) for stamp_ns in self._stamps_ns)
        known = next((way for way in ways if not isinstance(way, Missing)), None)
        return None if known is None else pose_error(known, np.eye(4))

    def _frame_of(self, stream: ImageStream) -> str:
        """Return the frame of a depth topic, taken from its camera_info when its images have no frame."""
        if stream.frame or stream.info is None:
            return stream.frame
        return bare(self._bag.first(stream.info).header.frame_id)

    def _view(self, stream: ImageStream) -> DepthView | str:
        """Return the relation of a depth topic to the images, or the reason why its depth cannot be registered."""
        frame, info, is_aligned = self._frame_of(stream), self._info_of(stream), self._is_aligned(stream)
        has_camera_of_image = info is None or (info == self._info and stream.is_rectified == self._image.is_rectified)
        if is_aligned and (has_camera_of_image or self._info is None):
            return DepthView(self._frame, frame, None, self._tree)
        if info is None or (info == self._info and not is_aligned):
            return f"{self._unaligned(stream, frame)}; record its camera_info"
        try:
            camera = camera_from_topic(self._bag, info, stream.is_rectified)
        except SequenceError as error:
            return DepthView(self._frame, frame, None, self._tree) if is_aligned else str(error)
        view = DepthView(self._frame, self._frame if is_aligned else frame, camera, self._tree)
        ways = [view.colour_T_depth(stamp_ns) for stamp_ns in self._stamps_ns]
        if all(isinstance(way, Missing) for way in ways):
            why = next((way.reason for way in ways if isinstance(way, Missing)), "")
            return f"{self._unaligned(stream, frame)}; record the transform between them ({why})"
        return view

    def _info_of(self, stream: ImageStream) -> BagTopic | None:
        """Return the camera_info in the namespace of a depth topic, or else the only camera_info in its frame."""
        if stream.info is not None:
            return stream.info
        frame = self._frame_of(stream)
        infos = [info for info in self._bag.of_type(INFO_TYPE) if info != self._info and frame != self._frame]
        found = [info for info in infos if bare(self._bag.first(info).header.frame_id) == frame]
        return found[0] if len(found) == 1 else None

    def _is_far(self, stream: ImageStream) -> str | None:
        """Return the reason for ignoring a depth topic that TF places too far from the image camera, or None."""
        apart = self._apart(stream)
        if self._is_aligned(stream) or apart is None or (apart[0] <= MAX_DEVICE_M and apart[1] <= MAX_DEVICE_DEG):
            return None
        offset = f"{apart[0]:.2f} m and {apart[1]:.0f} degrees away from {self._image.topic.name}"
        return f"{stream.topic.name} is {offset}, so on another device; use it anyway with --depth {stream.topic.name}"

    def _unaligned(self, stream: ImageStream, frame: str) -> str:
        return (
            f"{stream.topic.name} (frame '{frame}') is not aligned with {self._image.topic.name}"
            f" (frame '{self._frame}') and cannot be registered"
        )

    def _why_none(self, streams: Sequence[ImageStream]) -> str:
        others = [stream.topic.name for stream in streams if stream.is_depth]
        if others:
            return f"{others[0]} belongs to another camera than {self._image.topic.name}"
        for stream in (stream for stream in streams if stream.is_named_depth and stream.topic != self._image.topic):
            try:
                depth_from_msg(self._bag.first(stream.topic))
            except ValueError as error:
                return f"{stream.topic.name}: {error}"
        return f"no depth topic was recorded for {self._image.topic.name}"
