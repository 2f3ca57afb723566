"""Which depth topic of a bag is read: aligned before unaligned, raw before compressed, never another camera's."""

from __future__ import annotations

from collections.abc import Sequence

from dsm_ros.datasets.rosbag.bag import Bag, Topic
from dsm_ros.datasets.rosbag.camera_source import camera_from_topic
from dsm_ros.datasets.rosbag.depth_source import DepthSource, DepthView
from dsm_ros.datasets.rosbag.image_choice import own_depths
from dsm_ros.datasets.rosbag.streams import INFO_TYPE, ImageStream
from dsm_ros.errors import SequenceError
from dsm_ros.geometry.trajectory import Missing
from dsm_ros.geometry.transform_tree import TransformTree, bare
from dsm_ros.messages.depth import depth_from_msg


class DepthFinder:
    """Chooses the depth topic of an image.

    info: the image's camera_info topic; None when a file overrides it, and then depth in the frame of the images is
    taken as aligned. frame: of the images.
    """

    def __init__(
        self,
        bag: Bag,
        image: ImageStream,
        frame: str,
        info: Topic | None,
        tree: TransformTree,
        stamps_ns: Sequence[int],
    ):
        self._bag, self._image, self._frame, self._info = bag, image, frame, info
        self._tree, self._stamps_ns = tree, stamps_ns

    def found(self, streams: Sequence[ImageStream]) -> DepthSource | str:
        """Return the depth by the rules, or why there is none."""
        reasons = []
        for stream in sorted(own_depths(self._image, streams), key=self._rank):
            view = self._view(stream)
            if isinstance(view, DepthView):
                return DepthSource(self._bag, stream, view)
            reasons.append(view)
        return "; ".join(reasons[:2]) or self._why_none(streams)

    def named(self, name: str, streams: Sequence[ImageStream]) -> DepthSource:
        """Return the depth of the topic that was asked for. Raises SequenceError when it cannot be used."""
        stream = next((stream for stream in streams if stream.topic.name == name), None)
        if stream is None:
            topics = ", ".join(stream.topic.name for stream in streams if stream.is_depth) or "none"
            raise SequenceError(f"{self._bag.name} has no depth on {name}; topics for --depth: {topics}")
        view = self._view(stream)
        if isinstance(view, str):
            raise SequenceError(f"{self._bag.name}: {view}")
        return DepthSource(self._bag, stream, view)

    def _rank(self, stream: ImageStream) -> tuple[object, ...]:
        return not self._is_aligned(stream), stream.transport_rank, stream.is_rectified, stream.topic.name

    def _is_aligned(self, stream: ImageStream) -> bool:
        """Whether a depth topic has the frame or the camera_info of the images."""
        has_same_info = stream.info is not None and stream.info == self._info
        return has_same_info or self._frame_of(stream) == self._frame

    def _frame_of(self, stream: ImageStream) -> str:
        """Return the frame of a depth topic; where its images have none, its camera_info may."""
        if stream.frame or stream.info is None:
            return stream.frame
        return bare(self._bag.first(stream.info).header.frame_id)

    def _view(self, stream: ImageStream) -> DepthView | str:
        """Return how a depth topic relates to the image, or why it cannot be registered."""
        frame, info = self._frame_of(stream), self._info_of(stream)
        is_aligned = self._is_aligned(stream)
        if is_aligned and (info is None or self._info is None):
            return DepthView(self._frame, frame, None, self._tree)
        if info is None:
            return f"{self._unaligned(stream, frame)}; record its camera_info"
        try:
            camera = camera_from_topic(self._bag, info, stream.is_rectified)
        except SequenceError as error:
            return DepthView(self._frame, frame, None, self._tree) if is_aligned else str(error)
        view = DepthView(self._frame, frame, camera, self._tree)
        ways = [view.colour_T_depth(stamp_ns) for stamp_ns in self._stamps_ns]
        if all(isinstance(way, Missing) for way in ways):
            why = next((way.reason for way in ways if isinstance(way, Missing)), "")
            return f"{self._unaligned(stream, frame)}; record the transform between them ({why})"
        return view

    def _info_of(self, stream: ImageStream) -> Topic | None:
        """Return the camera_info that a depth topic has for itself: beside it, else the only one of its frame."""
        if stream.info is not None:
            return stream.info if stream.info != self._info else None
        frame = self._frame_of(stream)
        infos = [info for info in self._bag.of_type(INFO_TYPE) if info != self._info and frame != self._frame]
        found = [info for info in infos if bare(self._bag.first(info).header.frame_id) == frame]
        return found[0] if len(found) == 1 else None

    def _unaligned(self, stream: ImageStream, frame: str) -> str:
        return (
            f"{stream.topic.name} (frame '{frame}') is not aligned with {self._image.topic.name}"
            f" (frame '{self._frame}') and cannot be registered"
        )

    def _why_none(self, streams: Sequence[ImageStream]) -> str:
        others = [stream.topic.name for stream in streams if stream.is_depth]
        if others:
            return f"{others[0]} is the depth of another camera than {self._image.topic.name}"
        for stream in (stream for stream in streams if stream.is_named_depth and stream.topic != self._image.topic):
            try:
                depth_from_msg(self._bag.first(stream.topic))
            except ValueError as error:
                return f"{stream.topic.name}: {error}"
        return f"no depth topic was recorded beside {self._image.topic.name}"
