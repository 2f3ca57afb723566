"""Write a profile of localization on a device, and the device memory of a large map.

python scripts/gpu_profile.py MAP SEQUENCE --frames 2:42:2 --device cuda --map-keyframes 1000 --out profile.txt
"""

from __future__ import annotations

import argparse
from pathlib import Path

from dsm_ros.process import prepare_process

prepare_process()  # before the imports of numpy and torch

import torch

from dsm_ros.cli.options import LocalizerOptions
from dsm_ros.datasets.source_options import DEFAULT_SOURCES
from dsm_ros.evaluation.bench_map import resized_map
from dsm_ros.evaluation.device_profile import localize, profile_frames
from dsm_ros.localization.localizer import Localizer

WARM_UP_FRAMES = 5


def main() -> None:
    """Write the profile that the command line describes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("map")
    parser.add_argument("sequence")
    parser.add_argument("--frames", default="::5")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--map-keyframes", type=int, default=1000, help="keyframes in memory, including copies")
    parser.add_argument("--out", type=Path, default=Path("profile.txt"))
    asked = parser.parse_args()
    options = LocalizerOptions(model=asked.model, device=asked.device, frames=asked.frames)
    localizer, sequence, indices = options.open(asked.map, asked.sequence, DEFAULT_SOURCES)
    network = localizer.network
    scene_map = resized_map(localizer.scene_map, asked.map_keyframes)
    scene_map.preload(asked.map_keyframes)
    localizer = Localizer(scene_map, network)
    frames = [sequence[index] for index in indices]
    localize(localizer, frames[:WARM_UP_FRAMES])
    text = profile_frames(localizer, frames)
    if network.device.type == "cuda":
        peak_mb = torch.cuda.max_memory_allocated(network.device) / 2**20
        text = f"{asked.map_keyframes} keyframes in memory: {peak_mb:.0f} MB peak memory on the device\n{text}"
    asked.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
