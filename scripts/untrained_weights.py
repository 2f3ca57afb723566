"""Write untrained weights of a preset, with which time and memory can be measured but no poses found.

python scripts/untrained_weights.py paper FILE.safetensors
"""

from __future__ import annotations

import sys
from pathlib import Path

from dsm_ros.process import prepare_process

prepare_process()  # before the imports of numpy and torch

import torch

from dsm_ros.network.checkpoint import save_network
from dsm_ros.network.config import PRESETS
from dsm_ros.network.dsm_net import DsmNet

if __name__ == "__main__":
    torch.manual_seed(0)
    save_network(DsmNet(PRESETS[sys.argv[1]]), Path(sys.argv[2]))
