"""State of a training run on disk, from which a killed run continues with the same losses."""

from __future__ import annotations

import io
import subprocess
from dataclasses import asdict
from pathlib import Path

import torch
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from dsm_ros.errors import DsmError, ModelError
from dsm_ros.files import write_whole
from dsm_ros.network.dsm_net import DsmNet
from dsm_ros.training.config import TrainConfig

STATE_FILE = "last.pt"


def save_state(
    folder: Path, step: int, config: TrainConfig, network: DsmNet, optimizer: Optimizer, schedule: LRScheduler
) -> None:
    """Write the state after ``step`` steps; a kill at any moment leaves the last complete state."""
    state = {
        "step": step,
        "config": asdict(config),
        "commit": current_commit(),
        "network": network.state_dict(),
        "optimizer": optimizer.state_dict(),
        "schedule": schedule.state_dict(),
    }
    content = io.BytesIO()
    torch.save(state, content)
    write_whole(folder / STATE_FILE, content.getvalue())


def resume(folder: Path, config: TrainConfig, network: DsmNet, optimizer: Optimizer, schedule: LRScheduler) -> int:
    """Load the state in a folder and return its step. Raises ModelError without state, DsmError for another recipe."""
    path = folder / STATE_FILE
    if not path.is_file():
        raise ModelError(f"nothing to resume in {folder}; leave out --resume to start a run")
    state = torch.load(path, map_location=network.device, weights_only=True)
    if state["config"] != asdict(config):
        changed = [key for key, value in asdict(config).items() if state["config"].get(key) != value]
        raise DsmError(f"the run in {folder} has another recipe ({', '.join(changed)}); choose another --out")
    network.load_state_dict(state["network"])
    optimizer.load_state_dict(state["optimizer"])
    schedule.load_state_dict(state["schedule"])
    return int(state["step"])


def current_commit() -> str:
    """Return the git commit of the source, empty outside a repository."""
    found = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    )
    return found.stdout.strip()
