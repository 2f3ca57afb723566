"""A training step on a CUDA device beside one on the CPU."""

import numpy as np
import pytest
import torch
from torch.optim import AdamW

from dsm_ros.network.dsm_net import DsmNet
from dsm_ros.training.step import TrainingStep
from dsm_ros.training.train import figures, optimise

DEVICE = "cuda"
pytestmark = [pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")]


def test_losses_are_near_those_of_the_cpu_and_weights_stay_finite(wall, config):
    losses = {}
    for device in ("cpu", DEVICE):
        torch.manual_seed(0)
        network = DsmNet().to(device)
        episodes = [wall[i].to(torch.device(device)) for i in range(2)]
        made = TrainingStep(network, config).train()(episodes, np.random.default_rng(0))
        optimise(made, network, AdamW(network.parameters(), 1e-3), config.clip_norm)
        losses[device] = figures(made)
        assert all(weight.isfinite().all() for weight in network.parameters())
    assert losses[DEVICE] == pytest.approx(losses["cpu"], rel=0.15, abs=0.05)  # the encoder computes in bfloat16
