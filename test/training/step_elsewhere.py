"""Take one training step on the host and on a simulated device; print losses, crossings and weights as JSON.

torch counts its devices at the first backward pass of a process, which is why the test needs its own process.
"""

import json
import sys
from pathlib import Path

import numpy as np
import torch
from torch.optim import AdamW

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "network")]
from conftest import WallEpisodes  # noqa: E402
from simulated_device import NAME, put, simulated_device  # noqa: E402

from dsm_ros.network.dsm_net import DsmNet  # noqa: E402
from dsm_ros.training.config import TrainConfig  # noqa: E402
from dsm_ros.training.step import TrainingStep  # noqa: E402
from dsm_ros.training.train import figures, optimise  # noqa: E402


def step(network, episodes, queries):
    """Take one step and return its losses."""
    config = TrainConfig(queries=queries, max_images=3, width_px=96, height_px=64, elsewhere=0.2)
    losses = TrainingStep(network, config).train()(episodes, np.random.default_rng(0))
    optimise(losses, network, AdamW(network.parameters(), 1e-3), config.clip_norm)
    return figures(losses)


def fresh_network():
    torch.manual_seed(0)
    return DsmNet()


def elsewhere(episodes, queries):
    """Take a step on the device and return what the host says of it."""
    with simulated_device() as crossings:
        network = put(fresh_network())
        losses = step(network, [episode.to(torch.device(NAME)) for episode in episodes], queries)
    weights = network.coordinate_heads[0].embed[0].conv.weight.held
    return {"losses": losses, "crossings": crossings.total, "where": str(crossings), "weights": weights.sum().item()}


def here(episodes, queries):
    network = fresh_network()
    losses = step(network, episodes, queries)
    return {"losses": losses, "weights": network.coordinate_heads[0].embed[0].conv.weight.sum().item()}


if __name__ == "__main__":
    torch.set_num_threads(1)
    with simulated_device():
        pass
    source = [WallEpisodes()[i] for i in range(2)]
    report = {
        str(queries): {"here": here(source, queries), "elsewhere": elsewhere(source, queries)} for queries in (2, 4)
    }
    print(json.dumps(report))
