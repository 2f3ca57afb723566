"""Text profile of localization on one device, with operations, gaps, and copies between host and device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch.profiler import ProfilerActivity, profile

from dsm_ros.datasets.frame import Frame
from dsm_ros.evaluation.busy_time import Work, busy_time, gap_lines
from dsm_ros.localization.localizer import Localizer
from dsm_ros.localization.view import single_view

ROWS, NAME_WIDTH = 30, 70
WAITS = ("Memcpy", "cudaStreamSynchronize", "cudaDeviceSynchronize", "cudaMemcpyAsync", "cudaLaunchKernel")


def profile_frames(localizer: Localizer, frames: Sequence[Frame]) -> str:
    """Localize frames and return the profile of the device, after a warm-up with other frames."""
    on_gpu = localizer.network.device.type == "cuda"
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])]
    with profile(activities=activities) as profiled:
        localize(localizer, frames)
    return "\n".join([*_times(profiled, on_gpu, len(frames)), *_tables(profiled, on_gpu)])


def localize(localizer: Localizer, frames: Sequence[Frame]) -> None:
    """Localize frames and wait for the device."""
    for frame in frames:
        localizer.localize(single_view(frame.image_HW3, frame.camera), frame.stamp_ns)
    if localizer.network.device.type == "cuda":
        torch.cuda.synchronize(localizer.network.device)


def _times(profiled: profile, on_gpu: bool, frames: int) -> list[str]:
    where = "CUDA" if on_gpu else "CPU"
    events: list[Any] = list(profiled.events() or [])
    works = [Work(e.name, e.time_range.start, e.time_range.end) for e in events if e.device_type.name == where]
    busy = busy_time(works)
    lines = [
        f"{frames} frames; per frame: {len(works) / frames:.0f} work items, {busy.span_us / 1e3 / frames:.2f} ms, "
        f"of which {busy.busy_us / 1e3 / frames:.2f} ms busy; idle share {busy.idle_share:.2f}",
        *gap_lines(busy.gaps),
    ]
    for start in WAITS:
        called = [e for e in events if e.name.startswith(start)]
        took_ms = sum(e.time_range.elapsed_us() for e in called) / 1e3
        lines.append(f"{start}: {len(called) / frames:.1f} per frame, {took_ms / frames:.3f} ms per frame")
    return lines


def _tables(profiled: profile, on_gpu: bool) -> list[str]:
    keys = ["self_device_time_total", "self_cpu_time_total"] if on_gpu else ["self_cpu_time_total"]
    averages = profiled.key_averages()
    return [averages.table(sort_by=key, row_limit=ROWS, max_name_column_width=NAME_WIDTH) for key in keys]
