"""Program of the node: ``python -m dsm_ros.node``, which ``ros2 run dsm_ros relocalizer`` runs."""

from __future__ import annotations

import os
import signal

from dsm_ros.process import prepare_process


def main() -> None:
    """Run the node, and end the process."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # until the node handles signals, Ctrl-C ends the process silently
    os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")  # the log of the node names images that cannot be decoded
    prepare_process()  # before the imports of numpy and torch
    from dsm_ros.node.program import main as run_node

    run_node()


if __name__ == "__main__":
    main()
