"""Write a profile of localization on a device, and the device memory of a large map.

python scripts/gpu_profile.py MAP SEQUENCE --frames 2:42:2 --device cuda --keyframes 1000 --out profile.txt
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from dsm_ros.cli.localizer_inputs import open_session
from dsm_ros.datasets.source_options import BY_THE_RULES
from dsm_ros.evaluation.bench_map import resized_map
from dsm_ros.evaluation.device_profile import localize, profile_frames
from dsm_ros.localization.localizer import Localizer
from dsm_ros.network.checkpoint import load_network

WARM_UP_FRAMES = 5


def main() -> None:
    """Write the profile that the command line describes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("map")
    parser.add_argument("sequence")
    parser.add_argument("--frames", default="::5")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--model", type=Path)
    parser.add_argument("--keyframes", type=int, default=1000, help="keyframes in memory, including copies")
    parser.add_argument("--out", type=Path, default=Path("profile.txt"))
    asked = parser.parse_args()
    network = load_network(asked.model, asked.device)
    localizer, sequence, indices = open_session(
        asked.map, asked.sequence, BY_THE_RULES, asked.frames, single=False, load=lambda: network
    )
    scene_map = resized_map(localizer.scene_map, asked.keyframes)
    scene_map.preload(asked.keyframes)
    localizer = Localizer(scene_map, network)
    frames = [sequence[index] for index in indices]
    localize(localizer, frames[:WARM_UP_FRAMES])
    text = profile_frames(localizer, frames)
    if network.device.type == "cuda":
        peak_mb = torch.cuda.max_memory_allocated(network.device) / 2**20
        text = f"{asked.keyframes} keyframes in memory: {peak_mb:.0f} MB peak memory on the device\n{text}"
    asked.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
