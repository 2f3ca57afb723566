"""Player that publishes a sequence like a live camera: image, image/compressed and camera_info at camera rate.

``python -m dsm_ros.demo.sequence_player SEQUENCE [--frames 280:500] [--rate 30]``: the stamps are the recorded stamps,
shifted so that the first frame has the time of its publication. At the end, the player prints the shift (ns).
"""

from __future__ import annotations

import argparse
import sys

from dsm_ros.demo.exit_status import exit_on_failure
from dsm_ros.demo.rate import CAMERA_RATE_HZ, parse_rate
from dsm_ros.process import prepare_process


def main() -> None:
    """Parse the command line and play the sequence; bad input gives one line and exit status 2."""
    prepare_process()  # before the imports of numpy and torch
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sequence")
    parser.add_argument("--frames")
    parser.add_argument("--rate", type=parse_rate, default=CAMERA_RATE_HZ, help="frames per second")
    with exit_on_failure("player"):
        from rclpy.utilities import remove_ros_args

        from dsm_ros.demo.player import play_sequence

        arguments = parser.parse_args(remove_ros_args(sys.argv)[1:])
        play_sequence(arguments.sequence, arguments.frames, arguments.rate)


if __name__ == "__main__":
    main()
