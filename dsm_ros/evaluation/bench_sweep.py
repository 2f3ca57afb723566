"""Time and memory of localization for map sizes, numbers of keyframes N and resolutions."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from dsm_ros.datasets.frame import Frame
from dsm_ros.evaluation.bench_map import resized_map
from dsm_ros.evaluation.bench_room import QUERY_FRAMES, bench_frames, build_bench_room
from dsm_ros.evaluation.evaluate import median_times_ms
from dsm_ros.evaluation.memory import peak_rss_mb
from dsm_ros.evaluation.synchronised import synchronised
from dsm_ros.localization.config import LocalizerConfig
from dsm_ros.localization.localizer import Localizer
from dsm_ros.localization.view import single_view
from dsm_ros.network.checkpoint import load_network
from dsm_ros.network.dsm_net import DsmNet
from dsm_ros.network.runtime import Runtime
from dsm_ros.process import prepare_process
from dsm_ros.scene_map.scene_map import SceneMap

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Case:
    """One setting: keyframes in the map, keyframes matched (N), size of the network's input, weights and device."""

    map_keyframes: int
    keyframes: int
    long_side_px: int
    model: Path | None = None
    device: str = "cpu"
    runtime: Runtime = Runtime.TORCH

    def load_network(self) -> DsmNet:
        """Return the network of this setting, whose calls wait for the device so that stages can be timed."""
        network = load_network(self.model, self.device, self.runtime)
        resized = DsmNet(replace(network.config, long_side_px=self.long_side_px), network.model_hash, network)
        return synchronised(resized)


@dataclass(frozen=True)
class SweepRow:
    """Measurements of one setting: median times, frame rate, peak memory of the process and of the GPU."""

    map_keyframes: int
    keyframes: int
    width_px: int
    height_px: int
    runtime: str
    device: str
    threads: int
    ms_per_frame: dict[str, float]
    frames_per_second: float
    peak_rss_mb: float
    gpu_mb: float | None


def cases(map_keyframes: Sequence[int], keyframes: Sequence[int], sizes: Sequence[int], base: Case) -> list[Case]:
    """Return a setting for each value of a list, combined with the middle values of the other two lists."""
    middle = _middle(map_keyframes), _middle(keyframes), _middle(sizes)
    base = replace(base, map_keyframes=middle[0], keyframes=middle[1], long_side_px=middle[2])
    varied = [replace(base, map_keyframes=value) for value in map_keyframes]
    varied += [replace(base, keyframes=value) for value in keyframes]
    varied += [replace(base, long_side_px=value) for value in sizes]
    return list(dict.fromkeys(varied))


def _middle(values: Sequence[int]) -> int:
    return values[len(values) // 2]


def sweep(settings: Sequence[Case], folder: Path, on_progress: Progress) -> list[SweepRow]:
    """Measure each setting in a new process, because peak memory is counted by process; build the maps in a folder."""
    frames, rows = bench_frames(QUERY_FRAMES), []
    for case in settings:
        map_uri = folder / str(case.long_side_px)
        if not map_uri.exists():
            build_bench_room(map_uri, case.load_network(), lambda done, total: None)
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            rows.append(pool.submit(measure, case, str(map_uri), frames).result())
        on_progress(len(rows), len(settings))
    return rows


def measure(case: Case, map_uri: str, frames: Sequence[Frame]) -> SweepRow:
    """Localize frames twice with all N keyframes at once, and time the second run, whose features are in memory."""
    prepare_process()
    network = case.load_network()
    scene_map = SceneMap.open(map_uri, network.model_hash, case.device)
    scene_map = resized_map(scene_map, case.map_keyframes)
    config = LocalizerConfig(temporal=False).with_keyframes(case.keyframes)
    localizer = Localizer(scene_map, network, config)
    results = [
        localizer.localize(single_view(frame.image_HW3, frame.camera), frame.stamp_ns)
        for frame in [*frames, *frames[::-1]]
    ]
    times_ms = median_times_ms([result.times_ms for result in results[len(frames) :]])
    camera = network.encode(frames[0].image_HW3, frames[0].camera).camera
    return SweepRow(
        case.map_keyframes,
        case.keyframes,
        camera.width_px,
        camera.height_px,
        network.runtime,
        case.device,
        torch.get_num_threads(),
        times_ms,
        1000 / times_ms["total"],
        peak_rss_mb(),
        peak_gpu_mb(network.device),
    )


def peak_gpu_mb(device: torch.device) -> float | None:
    """Return the peak of torch's memory on a GPU (MB), None for the CPU."""
    return torch.cuda.max_memory_allocated(device) / 2**20 if device.type == "cuda" else None
