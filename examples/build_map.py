"""Build a map from colour images, depth images and camera poses that a Python program has in memory.

Usage: python examples/build_map.py office.map
"""

import sys
from dataclasses import replace

from dsm_ros.process import prepare_process

prepare_process()  # before the imports of numpy and torch

from dsm_ros.datasets.description import Description
from dsm_ros.datasets.frame import Frame, FrameHeader
from dsm_ros.datasets.open_sequence import open_sequence
from dsm_ros.network.checkpoint import load_network
from dsm_ros.progress import progress_bar
from dsm_ros.scene_map.builder import build_map


class Recording:
    """Frames in memory, in the order in which they were recorded."""

    def __init__(self, name: str, frames: list[Frame]):
        self.name, self._frames = name, frames

    def __len__(self) -> int:
        return len(self._frames)

    def __getitem__(self, index: int) -> Frame:
        return self._frames[index]

    def header(self, index: int) -> FrameHeader:
        """Return name, stamp and pose of a frame."""
        frame = self._frames[index]
        return FrameHeader(frame.name, frame.stamp_ns, frame.map_T_camera)

    def query(self, index: int) -> Frame:
        """Return a frame as a query image, without depth and pose."""
        return replace(self._frames[index], depth_HW=None, map_T_camera=None)

    def describe(self) -> Description:
        """Return where the images, the depth and the poses come from."""
        return Description(parts=())


def main() -> None:
    """Build a map of a rendered room, which stands in for your robot's camera and odometry."""
    (map_path,) = sys.argv[1:]
    room = open_sequence("rooms:7")
    # A Frame has a name, a timestamp, an RGB image, a Camera, a depth image in metres and a 4x4 pose in the map.
    recording = Recording("office", [room[index] for index in range(0, len(room), 20)])
    with progress_bar("building") as on_progress:
        every_frame = range(len(recording))
        report = build_map(recording, every_frame, map_path, load_network(), "morning", False, on_progress)
    print(f"{map_path}: {report.added} keyframes")


if __name__ == "__main__":
    main()
