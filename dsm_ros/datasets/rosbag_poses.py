"""Camera poses in a bag: a pose topic, or the transforms of TF."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np

from dsm_ros.messages.pose import stamp_ns_of, transform_from_msg
from dsm_ros.datasets.trajectory import StampedPoses
from dsm_ros.geometry.pose import Pose44, invert

WORLD_FRAMES = ("map", "world", "odom")


def stamped_poses(pairs: Iterable[tuple[int, Pose44]]) -> StampedPoses:
    """Return poses sorted by stamp; of equal stamps the last counts."""
    ordered = dict(sorted(pairs, key=lambda pair: pair[0]))
    return StampedPoses(np.array(list(ordered), dtype=np.int64), list(ordered.values()))


class TransformTree:
    """All transforms of a bag: static ones hold at any time, the others are interpolated."""

    def __init__(self, static: Iterable[Any], moving: Iterable[Any]):
        self._parents: dict[str, str] = {}
        self._static: dict[str, Pose44] = {}
        moving_pairs: dict[str, list[tuple[int, Pose44]]] = defaultdict(list)
        for transform in static:
            self._static[self._link(transform)] = transform_from_msg(transform)
        for transform in moving:
            moving_pairs[self._link(transform)].append(
                (stamp_ns_of(transform.header.stamp), transform_from_msg(transform))
            )
        self._moving = {child: stamped_poses(pairs) for child, pairs in moving_pairs.items()}

    def _link(self, transform: Any) -> str:
        child = transform.child_frame_id.lstrip("/")
        self._parents[child] = transform.header.frame_id.lstrip("/")
        return child

    def lookup(self, target: str, source: str, stamp_ns: int) -> Pose44 | None:
        """Return target_T_source at a stamp when target is above source in the tree, else None."""
        pose = np.eye(4)
        frame = source.lstrip("/")
        for _ in range(len(self._parents) + 1):
            if frame == target:
                return pose
            step = self._static.get(frame)
            if step is None:
                step = self._moving[frame].at(stamp_ns) if frame in self._moving else None
            if step is None:
                return None
            pose, frame = step @ pose, self._parents[frame]
        return None

    def in_world(self, frame: str, stamp_ns: int) -> Pose44 | None:
        """Return the pose of a frame in the first of map, world, odom that is above it."""
        poses = (self.lookup(world, frame, stamp_ns) for world in WORLD_FRAMES)
        return next((pose for pose in poses if pose is not None), None)

    def between(self, one: str, other: str, stamp_ns: int) -> Pose44 | None:
        """Return one_T_other where either is above the other, else None."""
        pose = self.lookup(one, other, stamp_ns)
        if pose is None and (inverse := self.lookup(other, one, stamp_ns)) is not None:
            pose = invert(inverse)
        return pose
