"""Program of the node: ``python -m dsm_ros.node``, which ``ros2 run dsm_ros relocalizer`` runs."""

from __future__ import annotations

import sys

from dsm_ros.process import prepare_process


def main() -> int:
    """Run the node; return its exit status."""
    prepare_process()  # before the imports of numpy and torch
    from dsm_ros.node.relocalizer_node import main as run_node

    return run_node()


if __name__ == "__main__":
    sys.exit(main())
