"""Camera poses of a bag's images in one world frame, from TF, odometry or a pose topic."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

import numpy as np

from dsm_ros.datasets.rosbag.bag import Bag, BagTopic
from dsm_ros.datasets.rosbag.transform_links import MOTION, Link
from dsm_ros.datasets.rosbag.transforms import BagTransforms, world_rank
from dsm_ros.errors import SequenceError
from dsm_ros.geometry.pose import Pose44, pose_error
from dsm_ros.geometry.trajectory import Absence, Missing, Trajectory
from dsm_ros.geometry.transform_tree import TransformTree, bare
from dsm_ros.messages.pose import pose_from_msg, pose_or_lost, stamp_ns_of, transform_from_msg

BODY_TYPES = ("nav_msgs/msg/Odometry", "geometry_msgs/msg/TransformStamped")  # types with a child_frame_id
POSE_TYPES = (*BODY_TYPES, "geometry_msgs/msg/PoseStamped", "geometry_msgs/msg/PoseWithCovarianceStamped")
ODOM_RANK = 2
MAX_TURN_DEG = 20.0
MAX_LISTED = 12


@dataclass(frozen=True)
class PoseSource:
    """A source of camera poses.

    at: returns world_T_camera (4x4) at a stamp, or the reason why it is missing. source: /tf or a topic. world: the
    world frame. detail: the chain of frames, for display.
    """

    at: Callable[[int], Pose44 | Missing]
    source: str
    world: str
    detail: str

    @property
    def drifts(self) -> bool:
        """Whether the world frame is an odometry frame."""
        return world_rank(self.world, None) >= ODOM_RANK


@dataclass(frozen=True)
class _TopicPoses:
    """Poses world_T_camera, composed of a topic's frame_T_body and the transforms world_T_frame and body_T_camera."""

    topic: str
    tree: TransformTree
    poses: Trajectory
    world: str
    frame: str
    body: str
    camera: str
    has_two_sources: bool = False

    def at(self, stamp_ns: int) -> Pose44 | Missing:
        world_T_camera = np.eye(4)
        for part in (
            self.tree.lookup(self.world, self.frame, stamp_ns),
            self.poses.at(stamp_ns),
            self.tree.lookup(self.body, self.camera, stamp_ns),
        ):
            if isinstance(part, Missing):
                return part
            world_T_camera = world_T_camera @ part
        return world_T_camera


class PoseFinder:
    """Choice of one source of poses for a whole recording.

    The world frame is the first of map, world and odom in which TF or odometry places the camera at the stamp of at
    least one image, or else the frame of any odometry whose body is linked to the camera by TF.
    """

    def __init__(self, bag: Bag, transforms: BagTransforms, camera: str, stamps_ns: Sequence[int]):
        """camera: the frame of the images. stamps_ns: the stamps of the images."""
        self._bag, self._transforms, self._tree = bag, transforms, transforms.tree
        self._camera, self._stamps_ns = camera, stamps_ns

    def named(self, option: str, world: str | None) -> PoseSource:
        """Return the pose source given as ``--pose TOPIC[:FRAME]``. Raises SequenceError for an unusable source."""
        name, _, frame = option.partition(":")
        topic = self._bag.topics.get(name)
        if topic is None or topic.msgtype not in POSE_TYPES:
            known = ", ".join(topic.name for topic in self._bag.of_type(*POSE_TYPES)) or "none"
            raise SequenceError(f"{self._bag.name} has no pose topic {name}; topics for --pose: {known}")
        poses = self._read(topic)
        poses = replace(poses, body=bare(frame) or poses.body or self._camera)
        if problem := self._problem(poses):
            raise SequenceError(f"{self._bag.name}: {problem}")
        sources = self._sources(poses)
        source = next((source for source in sources if source.world == bare(world or poses.frame)), None)
        if source is None:
            worlds = ", ".join(source.world for source in sources)
            raise SequenceError(f"{name} has no poses in '{world}'; frames for --world-frame: {worlds}")
        if not frame and topic.msgtype not in BODY_TYPES:
            self._refuse_other_body(source, name)
        return source

    def found(self, wanted: str | None) -> PoseSource | str:
        """Return the pose source that the rules choose, in world frame ``wanted`` if given, or why no source fits."""
        odometry = [
            self._read(topic) for topic in self._bag.of_type(*BODY_TYPES) if self._transforms.is_own(topic.name)
        ]
        sources = self._of_tree(wanted)
        sources += [source for poses in odometry if not self._problem(poses) for source in self._sources(poses)]
        if wanted:
            sources = [source for source in sources if source.world == bare(wanted)]
        sources.sort(key=lambda source: world_rank(source.world, None))
        covering = (s for s in sources if any(not isinstance(s.at(t), Missing) for t in self._stamps_ns))
        source = next(covering, None)
        if source is None:
            return self._why_none(sources, odometry, wanted)
        dispute = self._transforms.dispute(self._camera, world_rank(source.world, None))
        return source if wanted or not dispute else f"{dispute}; --world-frame {source.world} avoids the disputed link"

    def _of_tree(self, wanted: str | None) -> list[PoseSource]:
        """Return a TF source for each world frame above the camera; frames with other names count only if wanted."""
        worlds = [frame for frame in self._tree.ancestors(self._camera) if world_rank(frame, wanted) <= ODOM_RANK]
        return [
            PoseSource(partial(self._tree.lookup, world, self._camera), "/tf", world, self._chain(world, self._camera))
            for world in worlds
        ]

    def _read(self, topic: BagTopic) -> _TopicPoses:
        """Return the poses of a topic, without messages whose frame differs from the frame of the first message."""
        link, frame, body = Link(), "", ""
        read = transform_from_msg if topic.msgtype == BODY_TYPES[1] else pose_from_msg
        for _, message in self._bag.messages(topic):
            frame = frame or bare(message.header.frame_id)
            body = body or bare(getattr(message, "child_frame_id", ""))
            if bare(message.header.frame_id) == frame:
                link.add(stamp_ns_of(message.header.stamp), pose_or_lost(read, message))
        poses = Trajectory(MOTION, topic.name)
        for stamp_ns, pose in link.poses(is_correction=False):
            poses.insert(stamp_ns, pose)
        return _TopicPoses(topic.name, self._tree, poses, frame, frame, body, self._camera, link.has_two_sources)

    def _sources(self, poses: _TopicPoses) -> list[PoseSource]:
        """Return a source for the frame of a topic's poses, and one for each ancestor of that frame."""
        body = "the camera" if poses.body == poses.camera else f"'{poses.body}', moved to '{poses.camera}' by TF,"
        return [
            PoseSource(replace(poses, world=world).at, poses.topic, world, f"poses of {body} in '{world}'")
            for world in (poses.frame, *self._tree.ancestors(poses.frame))
        ]

    def _problem(self, poses: _TopicPoses) -> str | None:
        """Return why a topic gives no pose of the camera, for example because TF does not link body and camera."""
        if poses.has_two_sources:
            return f"{poses.topic} comes from two sources that disagree; record only one source"
        if not poses.body:
            return _no_body(poses.topic)
        path = [poses.camera] if poses.body == poses.camera else self._tree.path(poses.camera, poses.body)
        if isinstance(path, Missing) or any(world_rank(frame, poses.frame) <= ODOM_RANK for frame in path[1:-1]):
            link = f"{poses.topic} has the pose of '{poses.body}', which no transform links to the images' frame"
            return f"{link} '{poses.camera}'" + ("; record /tf_static" if self._is_static_missing() else "")
        return None

    def _is_static_missing(self) -> bool:
        return not any(topic.name.endswith("tf_static") for topic in self._bag.topics.values())

    def _refuse_other_body(self, source: PoseSource, topic: str) -> None:
        """Raise SequenceError when poses taken as camera poses are rotated against TF, as poses of another body are."""
        known = self.found(source.world)
        if isinstance(known, str):
            return
        pairs = [(source.at(stamp_ns), known.at(stamp_ns)) for stamp_ns in self._stamps_ns]
        turns_deg = [pose_error(a, b)[1] for a, b in pairs if not isinstance(a, Missing) and not isinstance(b, Missing)]
        if turns_deg and np.median(turns_deg) > MAX_TURN_DEG:
            raise SequenceError(
                f"{topic}, taken as the camera's pose, is rotated by {np.median(turns_deg):.0f} degrees against /tf;"
                f" leave out --pose to use /tf, or give the frame of the pose with --pose {topic}:FRAME"
            )

    def _why_none(self, sources: Sequence[PoseSource], odometry: Sequence[_TopicPoses], wanted: str | None) -> str:
        if sources:
            middle_ns = self._stamps_ns[len(self._stamps_ns) // 2]
            missing = sources[0].at(middle_ns)
            return missing.reason.replace("the requested time", "the images") if isinstance(missing, Missing) else ""
        reasons = list(self._transforms.problems.values())[:2]
        reasons += [problem for poses in odometry if (problem := self._problem(poses))]
        reasons += [self._why_not_tree(wanted)] if self._tree.frames else []
        without_body = [topic.name for topic in self._bag.of_type(*POSE_TYPES[len(BODY_TYPES) :])]
        reasons += [_no_body(topic) for topic in without_body[:1]]
        return "; ".join(reasons) or "no /tf, odometry or pose topic was recorded"

    def _why_not_tree(self, wanted: str | None) -> str:
        frames = ", ".join(sorted(self._tree.frames)[:MAX_LISTED])
        if self._camera not in self._tree.frames:
            return f"the images' frame '{self._camera}' is not in TF, which contains: {frames}"
        above = ", ".join(f"'{frame}'" for frame in self._transforms.worlds(self._camera)) or "none"
        name = f"'{wanted}'" if wanted else "map, world or odom"
        return f"TF has no {name} above the images' frame '{self._camera}'; frames for --world-frame: {above}"

    def _chain(self, world: str, frame: str) -> str:
        """Return the chain of frames from a world frame to a frame, with the rates of its links."""
        way = self._tree.path(frame, world)
        if isinstance(way, Missing):
            return way.reason
        rates = [self._transforms.rate_hz(parent, child) for parent, child in pairwise(way)]
        links = (f" -> {child}" + (f" ({hz:.3g} Hz)" if hz else "") for child, hz in zip(way[1:], rates, strict=True))
        return world + "".join(links)


def _no_body(topic: str) -> str:
    advice = f"use --pose {topic} if its poses are the camera's, or --pose {topic}:FRAME for another frame"
    return f"the messages of {topic} do not name the frame whose pose they contain; {advice}"


def missing_pose_reason(missing: Missing) -> str:
    """Return why a frame has no pose; the text does not depend on the frame's stamp."""
    reasons = {
        Absence.BEFORE_FIRST: f"the image was taken before the first {missing.where}",
        Absence.AFTER_LAST: f"the image was taken after the last {missing.where}",
        Absence.GAP: f"the image was taken in a gap of {missing.where}",
        Absence.LOST: f"{missing.where} was lost or jumped",
    }
    return f"no pose: {reasons.get(missing.why, missing.reason)}"
