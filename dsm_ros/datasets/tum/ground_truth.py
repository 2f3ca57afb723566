"""Camera poses over time in groundtruth.txt of a TUM RGB-D folder."""

from __future__ import annotations

from pathlib import Path

from dsm_ros.datasets.tum.stamped_rows import read_poses
from dsm_ros.geometry.pose import Pose44
from dsm_ros.geometry.trajectory import NS_PER_S, Absence, Bridge, Missing, Timing, Trajectory

MAX_GAP_NS = 100_000_000
REASONS = {
    Absence.LOST: "tracking was lost (NaN, infinity or zeros)",
    Absence.GAP: "the ground truth has a gap at its timestamp",
}


class GroundTruthPoses:
    """Interpolated poses of one file. Raises SequenceError with file and line when a row is invalid."""

    def __init__(self, path: Path):
        rows = read_poses(path)
        self.name, self.unit, self.warnings, self.count = path.name, rows.unit, rows.warnings, len(rows.values)
        self._trajectory = Trajectory(Timing(bridges=(Bridge(max_gap_ns=MAX_GAP_NS),)), name=path.name)
        for stamp_ns, row in zip(rows.stamps_ns, rows.values, strict=True):
            self._trajectory.insert(stamp_ns, row.map_T_camera)

    def at(self, stamp_ns: int) -> Pose44 | str:
        """Return map_T_camera (4x4) at a stamp, or why it is missing; the reason does not depend on the stamp."""
        pose = self._trajectory.at(stamp_ns)
        return REASONS.get(pose.why, "no ground truth at its timestamp") if isinstance(pose, Missing) else pose

    def gap_to(self, first_ns: int, last_ns: int) -> str:
        """Return a sentence on the gap between the poses and images in first..last, empty without a gap."""
        stamps_ns = self._trajectory.stamps_ns
        if not stamps_ns:
            return f"{self.name} contains no pose"
        if stamps_ns[-1] < first_ns:
            return f"{self.name} ends {(first_ns - stamps_ns[-1]) / NS_PER_S:.3f} s before the first image"
        if stamps_ns[0] > last_ns:
            return f"{self.name} starts {(stamps_ns[0] - last_ns) / NS_PER_S:.3f} s after the last image"
        return ""
