"""The transform tree of a bag, built from its TF messages."""

from __future__ import annotations

from collections import defaultdict
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from dsm_ros.datasets.rosbag.bag import Bag, BagTopic
from dsm_ros.datasets.rosbag.transform_links import Link, is_correction, timing_of
from dsm_ros.geometry.trajectory import NS_PER_S
from dsm_ros.geometry.transform_tree import TransformTree, checked_link
from dsm_ros.messages.pose import pose_or_lost, stamp_ns_of, transform_from_msg

TF_TYPES = ("tf2_msgs/msg/TFMessage", "tf/msg/tfMessage")


def world_rank(frame: str, wanted: str | None) -> int:
    """Return the rank of a frame as world frame, best first: wanted, map, world, odom, any other frame."""
    if frame == wanted:
        return -1
    last = frame.rpartition("/")[2].lower()
    return next((rank for rank, word in enumerate(("map", "world")) if last == word), 2 if "odom" in last else 3)


class BagTransforms:
    """The transform tree of a bag, and the problems of its links.

    tree: all usable links. problems: why a frame has no usable parent link, by frame.
    """

    def __init__(self, bag: Bag, image_topic: str, wanted_world: str | None, has_relocalizer: bool):
        """Read all TF messages of the bag.

        has_relocalizer: whether the bag contains a relocalizer, whose links below map are ignored as ground truth.
        """
        self._links: dict[str, dict[str, Link]] = defaultdict(lambda: defaultdict(Link))  # by child, then by parent
        self._wanted, self._image_topic = wanted_world, image_topic
        namespaces = {_robot(topic.name) for topic in bag.of_type(*TF_TYPES)}
        self._robots = namespaces - {""}
        for topic in tf_topics(bag, image_topic):
            self._read(bag, topic)
        if has_relocalizer:
            for parents in self._links.values():
                for parent in [parent for parent in parents if world_rank(parent, None) == 0]:
                    del parents[parent]
        self.tree, self.problems = TransformTree(timing_of), dict[str, str]()
        for child, parents in self._links.items():
            self._insert_frame(child, parents)

    def is_own(self, topic: str) -> bool:
        """Return whether a pose topic may belong to the robot that took the images, judged by its namespace."""
        robot, own = _robot(topic), _robot(self._image_topic)
        return robot in ("", own) or not self._robots & {robot, own}

    def rate_hz(self, parent: str, child: str) -> float | None:
        """Return the rate of a timed link's messages, None for a static or unknown link."""
        stamps_ns = sorted(self._links.get(child, {}).get(parent, Link()).timed)
        return (len(stamps_ns) - 1) * NS_PER_S / (stamps_ns[-1] - stamps_ns[0]) if len(stamps_ns) > 1 else None

    def parents(self, frame: str) -> list[str]:
        """Return the parents of a frame in all messages, including links that are not in the tree."""
        return list(self._links.get(frame, ()))

    def delay_s(self) -> float | None:
        """Return the median time from stamp to recording of moving links, None when no moving link exists."""
        links = [(parent, child, link) for child, links in self._links.items() for parent, link in links.items()]
        delays_ns = [ns for parent, child, link in links if not is_correction(parent, child) for ns in link.delays_ns]
        return float(np.median(delays_ns)) / NS_PER_S if delays_ns else None

    def jumps(self, frame: str) -> list[str]:
        """Return a text for each jump of a correction above a frame; keyframes before and after do not fit together."""
        found = []
        above = [frame, *self.tree.ancestors(frame)]
        for child, parent in pairwise(above):
            if is_correction(parent, child):
                found += [f"{parent} -> {child} {jump}" for jump in self._links[child][parent].jumps()]
        return found

    def dispute(self, frame: str, rank: int) -> str | None:
        """Return the problem that prevents a world frame of a better rank than ``rank`` for a frame, or None."""
        above = (frame, *self.tree.ancestors(frame))
        disputed = [child for child in above if child in self.problems]
        better = [child for child in disputed if min(self._best_rank(p, {child}) for p in self.parents(child)) < rank]
        return self.problems[better[0]] if better else None

    def worlds(self, frame: str) -> list[str]:
        """Return the possible world frames of a frame: ancestors in which it moves, and parents that have a problem."""
        disputed = [
            parent
            for child in (frame, *self.tree.ancestors(frame))
            if child in self.problems
            for parent in self.parents(child)
        ]
        return [*self.moving_ancestors(frame), *disputed]

    def moving_ancestors(self, frame: str) -> list[str]:
        """Return the ancestors in which a frame moves."""
        above = [frame, *self.tree.ancestors(frame)]
        moves = accumulate(self.rate_hz(parent, child) is not None for child, parent in pairwise(above))
        return [parent for parent, has_moved in zip(above[1:], moves, strict=True) if has_moved]

    def _read(self, bag: Bag, topic: BagTopic) -> None:
        is_static = topic.name.endswith("tf_static")
        for bag_ns, message in bag.messages(topic):
            for transform in message.transforms:
                self._add(transform, is_static, bag_ns)

    def _add(self, transform: Any, is_static: bool, bag_ns: int) -> None:
        try:
            parent, child = checked_link(transform.header.frame_id, transform.child_frame_id, None)
        except ValueError:
            return  # a link needs the names of its frames
        link, pose = self._links[child][parent], pose_or_lost(transform_from_msg, transform)
        if is_static:
            link.add_static(pose)
            return
        stamp_ns = stamp_ns_of(transform.header.stamp)
        link.add(stamp_ns, pose)
        link.delays_ns.append(bag_ns - stamp_ns)

    def _insert_frame(self, child: str, parents: dict[str, Link]) -> None:
        ranks = {parent: self._best_rank(parent, {child}) for parent in parents}
        best = [parent for parent in parents if ranks[parent] == min(ranks.values())]
        if len(best) > 1:
            names = " and ".join(f"'{parent}'" for parent in best)
            self.problems[child] = f"frame '{child}' has two parents, {names}; choose one with --world-frame"
            return
        for parent in best:
            self._insert_link(parent, child, parents[parent])

    def _insert_link(self, parent: str, child: str, link: Link) -> None:
        if link.has_two_sources:
            self.problems[child] = f"{parent} -> {child} comes from two sources that disagree"
        elif link.static is not None:
            self.tree.add(parent, child, None, link.static)
        else:
            for stamp_ns, pose in link.poses(is_correction(parent, child)):
                self.tree.add(parent, child, stamp_ns, pose)

    def _best_rank(self, frame: str, below: set[str]) -> int:
        """Return the best rank among a frame and its ancestors."""
        above = [parent for parent in self._links.get(frame, ()) if parent not in below]
        ranks = [self._best_rank(parent, below | {frame}) for parent in above]
        return min([world_rank(frame, self._wanted), *ranks])


def tf_topics(bag: Bag, image_topic: str) -> list[BagTopic]:
    """Return the TF topics of the robot that took the images.

    Topics in a namespace of the image topic are preferred. Other TF topics are used only when all are in one namespace,
    because several namespaces belong to several robots.
    """
    topics = [t for t in bag.of_type(*TF_TYPES) if t.name.rpartition("/")[2] in ("tf", "tf_static")]
    own = [topic for topic in topics if image_topic.startswith(f"{topic.folder}/")]
    is_one_robot = len({topic.folder for topic in topics}) == 1
    return own or (topics if is_one_robot else [])


def _robot(topic: str) -> str:
    """Return the first part of a topic's namespace, empty for a topic without a namespace."""
    return topic.split("/")[1] if topic.count("/") > 1 else ""
