"""State of a training run on disk, from which a killed run continues with the same losses."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

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
    """Load the state in a folder and return its step.

    Raises ModelError without state and for a damaged state, DsmError for another recipe.
    """
    path = require_state(folder)
    content = path.read_bytes()
    with _explained(path):
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        recipe, step = dict(state["config"]), int(state["step"])
    _require_recipe(recipe, config, folder)
    with _explained(path):
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        _require_shapes(optimizer)
        schedule.load_state_dict(state["schedule"])
    return step


def require_state(folder: Path) -> Path:
    """Return the file of the state in a folder. Raises ModelError when there is none."""
    path = folder / STATE_FILE
    if not path.is_file():
        raise ModelError(f"nothing to resume in {folder}; leave out --resume to start a run")
    return path


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn any error into a ModelError that names the file."""
    try:
        yield
    except Exception as error:  # the exceptions of torch.load for damaged files have no common base
        raise ModelError(
            f"{path} is damaged or not a state of this network; remove the file, and start again without --resume"
        ) from error


def _require_recipe(recipe: dict[str, Any], config: TrainConfig, folder: Path) -> None:
    expected = asdict(config)
    changed = [str(key) for key in recipe | expected if recipe.get(key) != expected.get(key)]
    if changed:
        raise DsmError(f"the run in {folder} has another recipe ({', '.join(changed)}); choose another --out")


def _require_shapes(optimizer: Optimizer) -> None:
    """Raise ValueError unless the moments have the shapes of their parameters, which torch does not check."""
    for parameter, slots in optimizer.state.items():
        if any(slot.dim() and slot.shape != parameter.shape for slot in slots.values()):
            raise ValueError("the moments of the optimizer have other shapes than the weights")


def current_commit() -> str:
    """Return the git commit of the source, empty outside a repository."""
    found = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=Path(__file__).parent, capture_output=True, text=True, check=False
    )
    return found.stdout.strip()
