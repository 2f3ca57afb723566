"""The training loop [paper 4.1; method 13]."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.parallel import DistributedDataParallel
from torch.nn.utils import clip_grad_norm_
from torch.optim import AdamW, Optimizer
from torch.optim.lr_scheduler import LambdaLR

from dsm_ros.errors import ModelError
from dsm_ros.network.checkpoint import save_network
from dsm_ros.network.dsm_net import DsmNet
from dsm_ros.training.config import TrainConfig
from dsm_ros.training.dataset import Steps, load_steps
from dsm_ros.training.devices import Devices
from dsm_ros.training.episode import EpisodeSource
from dsm_ros.training.state import resume, save_state
from dsm_ros.training.step import TrainingStep

OnStep = Callable[[int, dict[str, float]], None]


@dataclass(frozen=True)
class Run:
    """Folder, devices and worker processes of a run, and a callback for the number and the losses of each step."""

    folder: Path
    devices: Devices
    workers: int
    on_step: OnStep


@dataclass(frozen=True)
class Trained:
    """The file of trained weights, the number of steps, and how many were skipped for a gradient that is not finite."""

    weights: Path
    steps: int
    skipped: int


def train(network: DsmNet, source: EpisodeSource, config: TrainConfig, run: Run, take_up: bool = False) -> Trained:
    """Train a network and write its weights.

    take_up: whether to continue from the state in the folder. Raises ModelError when there is no state to continue
    from, and when all steps were skipped.
    """
    device = run.devices.device
    network.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    for trunk in network.encoder.trunks():
        trunk.requires_grad_(not config.freeze_trunks)
    step_module = TrainingStep(network, config).train()
    optimizer = AdamW(_learning(network), config.learning_rate, weight_decay=config.weight_decay)
    schedule = LambdaLR(optimizer, lambda step: learning_rate_factor(step, config))
    first = resume(run.folder, config, network, optimizer, schedule) if take_up else 0
    parallel = DistributedDataParallel(step_module) if run.devices.ranks > 1 else step_module
    steps = Steps(source, config, first, run.devices.rank, run.devices.ranks)
    for step, episodes in enumerate(load_steps(steps, run.workers), first + 1):
        rng = np.random.default_rng([config.seed, step, run.devices.rank])
        losses = parallel([episode.to(device) for episode in episodes], rng)
        optimise(losses, network, optimizer, config.clip_norm)
        schedule.step()
        if run.devices.is_first:
            run.on_step(step, figures(losses) | {"skipped": skipped_steps(optimizer, step)})
            if step % config.save_every == 0 or step == config.steps:
                save_state(run.folder, step, config, network, optimizer, schedule)
    path = run.folder / f"dsm_{config.preset}.safetensors"
    trained = Trained(path, config.steps, skipped_steps(optimizer, config.steps))
    _require_a_step(trained)
    if run.devices.is_first:
        save_network(network, trained.weights)
    return trained


def optimise(losses: dict[str, Tensor], network: DsmNet, optimizer: Optimizer, clip_norm: float) -> None:
    """Take an optimiser step on the sum of the losses, unless its gradient is not finite."""
    total = torch.stack([value for name, value in losses.items() if value.requires_grad]).sum()
    optimizer.zero_grad(set_to_none=True)
    total.backward()
    norm = clip_grad_norm_(_learning(network), clip_norm)
    if torch.isfinite(norm):
        optimizer.step()


def skipped_steps(optimizer: Optimizer, steps: int) -> int:
    """Return how many of the steps were skipped; the optimizer counts the other steps, also after a restart."""
    return steps - max((int(slots["step"]) for slots in optimizer.state.values()), default=0)


def _require_a_step(trained: Trained) -> None:
    if trained.skipped == trained.steps:
        raise ModelError(
            f"all {trained.steps} steps were skipped, because no gradient was finite; change the weights and the "
            "temperature of the losses in the recipe, or --start, and choose another --out"
        )


def figures(losses: dict[str, Tensor]) -> dict[str, float]:
    """Return losses as numbers, copied from the device in one piece."""
    return dict(zip(losses, torch.stack(list(losses.values())).tolist(), strict=True))


def learning_rate_factor(step: int, config: TrainConfig) -> float:
    """Return the factor of the learning rate, which is a linear warm-up, then a cosine that falls to zero."""
    if step < config.warmup_steps:
        return (step + 1) / config.warmup_steps
    progress = (step - config.warmup_steps) / max(1, config.steps - config.warmup_steps)
    return 0.5 * (1 + math.cos(math.pi * min(1.0, progress)))


def _learning(network: DsmNet) -> list[torch.nn.Parameter]:
    return [parameter for parameter in network.parameters() if parameter.requires_grad]
