"""dsm bench"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from dsm_ros.evaluation.timings import Timing

MEASURE_ROS = "dsm_ros.node.bench"  # a process of its own: the command line knows no ROS
NEEDED = ("rclpy", "dsm_ros.msg")


def bench(
    ros: Annotated[bool, typer.Option("--ros", help="What the ROS node adds to each image.")] = False,
    json_file: Annotated[Path | None, typer.Option("--json", help="Write the figures here; - for stdout.")] = None,
) -> None:
    """Measure the time per image on this machine, in a rendered room at 640x480.

    Example: dsm bench --json stages.json; dsm bench --ros
    """
    import json
    from dataclasses import asdict

    from dsm_ros.cli.output import require_writable, write_atomically
    from dsm_ros.evaluation.timings import print_timings

    to_stdout = str(json_file) == "-"
    if json_file and not to_stdout:
        require_writable(json_file)
    timings = measure_ros() if ros else measure_stages()
    text = json.dumps({"ros" if ros else "stages": [asdict(row) for row in timings]}, indent=2)
    if to_stdout:
        sys.stdout.write(text + "\n")
    else:
        print_timings("what the node adds" if ros else "the localizer's stages", timings)
    if json_file and not to_stdout:
        write_atomically(json_file, text + "\n")


def measure_ros() -> list[Timing]:
    """Let the node's own program measure; it says itself what went wrong. Raises DsmError without ROS."""
    import json
    import subprocess
    from importlib.util import find_spec

    from dsm_ros.errors import DsmError
    from dsm_ros.evaluation.timings import Timing

    if missing := [name for name in NEEDED if not find_spec(name)]:
        needs = f"bench --ros needs ROS 2 and this package's messages, and {missing[0]} is missing"
        raise DsmError(f"{needs}; source ROS and the workspace, or scripts/env.sh after make env")
    measured = subprocess.run([sys.executable, "-m", MEASURE_ROS], check=False, stdout=subprocess.PIPE, text=True)
    if measured.returncode:
        raise typer.Exit(measured.returncode)
    return [Timing(**row) for row in json.loads(measured.stdout)]


def measure_stages() -> list[Timing]:
    """Localize frames of a room and return the time of each stage."""
    from dataclasses import asdict
    from tempfile import TemporaryDirectory

    from dsm_ros.evaluation.bench_room import build_bench_room
    from dsm_ros.evaluation.timings import timing
    from dsm_ros.localization.localizer import Localizer
    from dsm_ros.network.checkpoint import load_network
    from dsm_ros.progress import progress_bar
    from dsm_ros.scene_map.scene_map import SceneMap

    network = load_network()
    with TemporaryDirectory() as folder, progress_bar("measuring") as on_progress:
        frames = build_bench_room(Path(folder) / "map", network, on_progress)
        localizer = Localizer(SceneMap.open(str(Path(folder) / "map"), network.model_hash), network)
        rows = [asdict(localizer.localize(frame.image_HW3, frame.camera, frame.stamp_ns).times_ms) for frame in frames]
    warm = rows[1:]  # the first one pays for what is set up once
    return [timing(stage, [row[stage] for row in warm]) for stage in warm[0]]
