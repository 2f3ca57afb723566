"""Measurements of the time that ROS adds to each image.

The node runs in a separate process. This process is the camera, and sends the next image when the status of the last
image has arrived.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from subprocess import Popen
from tempfile import TemporaryDirectory

from dsm_ros.datasets.frame import Frame
from dsm_ros.demo.bench_camera import BenchCamera, Sample, bench_camera
from dsm_ros.demo.child_process import process
from dsm_ros.errors import DsmError
from dsm_ros.evaluation.bench_room import QUERY_FRAMES, bench_frames, build_bench_room
from dsm_ros.evaluation.timings import TimingRow, timing
from dsm_ros.network.checkpoint import load_network
from dsm_ros.progress import progress_bar

WARM_UP, MEASURED = 5, 40
LIMIT_MS, LIMIT_WITH_CLOUD_MS = 5.0, 10.0
LEAST_ANSWERED = 0.5
STARTUP_TIMEOUT_S = 60.0


def summarise(alone: Sequence[Sample], with_cloud: Sequence[Sample]) -> list[TimingRow]:
    """Return the rows of the benchmark's table."""
    return [
        timing("ROS, callback to pose", [sample.ros_ms for sample in alone], LIMIT_MS),
        timing("ROS with the dense cloud", [sample.ros_ms for sample in with_cloud], LIMIT_WITH_CLOUD_MS),
        timing("DDS, image and status", [sample.transport_ms for sample in alone]),
        timing("DDS with the dense cloud", [sample.transport_ms for sample in with_cloud]),
        timing("localizer", [sample.localizer_ms for sample in (*alone, *with_cloud)]),
    ]


def measure(camera: BenchCamera, frames: Sequence[Frame], label: str) -> list[Sample]:
    """Send the frames alternately forwards and backwards; return the samples of images with a pose, after a warm-up."""
    there_and_back = [*frames, *frames[-2:0:-1]]
    answers: list[Sample | None] = []
    with progress_bar(label) as on_progress:
        for count in range(WARM_UP + MEASURED):
            answers.append(camera.ask(there_and_back[count % len(there_and_back)]))
            on_progress(count + 1, WARM_UP + MEASURED)
    samples = [sample for sample in answers[WARM_UP:] if sample]
    if len(samples) < LEAST_ANSWERED * MEASURED:
        raise DsmError(f"only {len(samples)} of {MEASURED} images came back with a pose; is the machine overloaded?")
    return samples


def measure_node(running: Popen[str], frames: Sequence[Frame]) -> list[TimingRow]:
    """Wait until the node has started, then measure the node."""
    with bench_camera() as camera:
        if not camera.wait_for_node(STARTUP_TIMEOUT_S, lambda: running.poll() is None):
            raise DsmError("the node did not start; its messages are above")
        alone = measure(camera, frames, "without the cloud")
        camera.listen_to_cloud()
        return summarise(alone, measure(camera, frames, "with the cloud"))


def run() -> list[TimingRow]:
    """Build a map and measure the node on it."""
    with TemporaryDirectory() as folder:
        map_uri = Path(folder) / "map"
        with progress_bar("building the map") as on_progress:
            build_bench_room(map_uri, load_network(), on_progress)
        frames = bench_frames(QUERY_FRAMES)
        node = ("dsm_ros.node", "--ros-args", "-p", f"map:={map_uri}", "--log-level", "warn")
        with process(*node, stdout=sys.stderr) as running:
            return measure_node(running, frames)
