"""The transform tree of a bag: which TF messages enter it, and how their poses are read along time."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dsm_ros.datasets.rosbag.bag import Bag, Topic
from dsm_ros.geometry.pose import Pose44, pose_error
from dsm_ros.geometry.trajectory import NS_PER_S, Bridge, Timing
from dsm_ros.geometry.transform_tree import TransformTree, checked_link
from dsm_ros.messages.pose import pose_or_lost, stamp_ns_of, transform_from_msg

TF_TYPES = ("tf2_msgs/msg/TFMessage", "tf/msg/tfMessage")

# A frame that moves with the robot is interpolated over 0.2 s, and over 1 s while it hardly moves.
MOTION = Timing((Bridge(NS_PER_S // 5), Bridge(NS_PER_S, 0.05, 3.0)))
# A correction such as map -> odom changes slowly. It is interpolated over 2 s unless it jumps, over any time where
# nothing was corrected, and holds for 0.25 s after its last message.
CORRECTION = Timing((Bridge(2 * NS_PER_S, 0.5, 10.0), Bridge(max_move_m=0.1, max_turn_deg=2.0)), hold_ns=NS_PER_S // 4)

# Two sources that disagree make a link swing to and fro with most of their messages; a noisy localizer does so seldom.
SWING_M, SWING_DEG, SWING_S = 0.05, 5.0, 0.25
WINDOW, MIN_SWINGS, SWINGING_SHARE = 20, 3, 0.25


def timing_of(parent: str, child: str) -> Timing:
    """Return how a timed link is read: a correction places odom or map in a frame above, anything else moves."""
    last = child.rpartition("/")[2].lower()
    return CORRECTION if "odom" in last or last == "map" else MOTION


def world_rank(frame: str, wanted: str | None) -> int:
    """Return how good a frame is as the world of a map, less is better: wanted, map, world, odom, anything else."""
    if frame == wanted:
        return -1
    last = frame.rpartition("/")[2].lower()
    return next((rank for rank, word in enumerate(("map", "world")) if last == word), 2 if "odom" in last else 3)


@dataclass
class _Link:
    """What the messages of a bag say of one link: a static pose, and poses (None: lost) by stamp."""

    static: Pose44 | None = None
    timed: dict[int, Pose44 | None] = field(default_factory=dict)
    repeated: int = 0  # messages that contradict another one of the same stamp

    def add(self, stamp_ns: int, pose: Pose44 | None) -> None:
        before = self.timed.get(stamp_ns)
        if before is not None and pose is not None:
            moved_m, turned_deg = pose_error(pose, before)
            self.repeated += moved_m > SWING_M or turned_deg > SWING_DEG
        self.timed[stamp_ns] = pose


class BagTransforms:
    """The tree of a bag, and what is wrong with it.

    tree: all links that can be used. problems: by child frame, why none of its links can be used.
    """

    def __init__(self, bag: Bag, image_topic: str, wanted_world: str | None, has_own_answers: bool):
        """has_own_answers: a relocalizer was recorded; what it broadcast below map is no ground truth."""
        self._links: dict[str, dict[str, _Link]] = defaultdict(lambda: defaultdict(_Link))  # by child, by parent
        self._wanted = wanted_world
        for topic in tf_topics(bag, image_topic):
            self._read(bag, topic)
        if has_own_answers:
            for parents in self._links.values():
                for parent in [parent for parent in parents if world_rank(parent, None) == 0]:
                    del parents[parent]
        self.tree, self.problems = TransformTree(timing_of), dict[str, str]()
        for child, parents in self._links.items():
            self._take_up(child, parents)

    def rate_hz(self, parent: str, child: str) -> float | None:
        """Return how often a timed link was sent, None for a static or unknown one."""
        stamps_ns = sorted(self._links.get(child, {}).get(parent, _Link()).timed)
        return (len(stamps_ns) - 1) * NS_PER_S / (stamps_ns[-1] - stamps_ns[0]) if len(stamps_ns) > 1 else None

    def moving_ancestors(self, frame: str) -> list[str]:
        """Return the frames above a frame in which it moves: what can be the world of its poses."""
        above = [frame, *self.tree.ancestors(frame)]
        moves = accumulate(self.rate_hz(parent, child) is not None for child, parent in pairwise(above))
        return [parent for parent, has_moved in zip(above[1:], moves, strict=True) if has_moved]

    def _read(self, bag: Bag, topic: Topic) -> None:
        is_static = topic.name.endswith("tf_static")
        for _, message in bag.messages(topic):
            for transform in message.transforms:
                self._add(transform, is_static)

    def _add(self, transform: Any, is_static: bool) -> None:
        try:
            parent, child = checked_link(transform.header.frame_id, transform.child_frame_id, None)
        except ValueError:
            return  # a link without names places nothing
        link, pose = self._links[child][parent], pose_or_lost(transform_from_msg, transform)
        if is_static:
            link.static = pose
        else:
            link.add(stamp_ns_of(transform.header.stamp), pose)

    def _take_up(self, child: str, parents: dict[str, _Link]) -> None:
        ranks = {parent: self._best_rank(parent, {child}) for parent in parents}
        best = [parent for parent in parents if ranks[parent] == min(ranks.values())]
        if len(best) > 1:
            names = " and ".join(f"'{parent}'" for parent in best)
            self.problems[child] = f"frame '{child}' has two parents, {names}; choose a world frame with --world-frame"
            return
        for parent in best:
            self._take_up_link(parent, child, parents[parent])

    def _take_up_link(self, parent: str, child: str, link: _Link) -> None:
        if link.static is not None:
            self.tree.add(parent, child, None, link.static)
            return
        if link.repeated >= max(MIN_SWINGS, SWINGING_SHARE * len(link.timed)) or swings(link.timed):
            self.problems[child] = f"{parent} -> {child} comes from two sources that disagree"
            return
        for stamp_ns, pose in sorted(link.timed.items()):
            self.tree.add(parent, child, stamp_ns, pose)

    def _best_rank(self, frame: str, below: set[str]) -> int:
        """Return the best rank of a frame and of all that is above it."""
        above = [parent for parent in self._links.get(frame, ()) if parent not in below]
        ranks = [self._best_rank(parent, below | {frame}) for parent in above]
        return min([world_rank(frame, self._wanted), *ranks])


def tf_topics(bag: Bag, image_topic: str) -> list[Topic]:
    """Return /tf, /tf_static and those in a namespace of the image's topic: another robot's transforms are not ours.

    The transforms of one robot are read whatever their namespace when there are no others.
    """
    topics = [t for t in bag.of_type(*TF_TYPES) if t.name.rpartition("/")[2] in ("tf", "tf_static")]
    own = [topic for topic in topics if image_topic.startswith(f"{topic.folder}/")]
    is_one_robot = len({topic.folder for topic in topics}) == 1
    return own or (topics if is_one_robot else [])


def swings(timed: dict[int, Pose44 | None]) -> bool:
    """Return whether a link goes away and back all the time, as no robot does: two sources send it in turns."""
    known = sorted((stamp_ns, pose) for stamp_ns, pose in timed.items() if pose is not None)
    if len(known) < 3:
        return False
    stamps_ns, poses_N44 = np.array([stamp_ns for stamp_ns, _ in known]), np.array([pose for _, pose in known])
    brief_N = stamps_ns[2:] - stamps_ns[:-2] < SWING_S * NS_PER_S
    (away_m, away_deg), (back_m, back_deg) = _moved(poses_N44, 1), _moved(poses_N44, 2)
    goes_N = (away_m[:-1] > SWING_M) & (back_m < 0.3 * away_m[:-1])
    turns_N = (away_deg[:-1] > SWING_DEG) & (back_deg < 0.3 * away_deg[:-1])
    swing_N = (goes_N | turns_N) & brief_N
    window = min(WINDOW, len(swing_N))
    most = int(np.convolve(swing_N.astype(int), np.ones(window, int), "valid").max())
    return most >= max(MIN_SWINGS, SWINGING_SHARE * window)


def _moved(poses_N44: NDArray[np.float64], steps: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far each pose is from the one some steps later, in m and degrees."""
    one_M44, other_M44 = poses_N44[:-steps], poses_N44[steps:]
    moved_M = np.linalg.norm(other_M44[:, :3, 3] - one_M44[:, :3, 3], axis=1)
    cosine_M = (np.einsum("mij,mij->m", one_M44[:, :3, :3], other_M44[:, :3, :3]) - 1) / 2
    return moved_M, np.degrees(np.arccos(np.clip(cosine_M, -1, 1)))
