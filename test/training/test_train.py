from dataclasses import replace

import numpy as np
import pytest
import torch

from dsm_ros.errors import DsmError, ModelError
from dsm_ros.network.checkpoint import load_network
from dsm_ros.network.dsm_net import DsmNet
from dsm_ros.training.config import TrainConfig
from dsm_ros.training.devices import Devices
from dsm_ros.training.train import Run, learning_rate_factor, train


class Curve:
    """Records the losses of each step; raises KeyboardInterrupt after a given step."""

    def __init__(self, dies_after=None):
        self.losses, self.dies_after = {}, dies_after

    def __call__(self, step, losses):
        self.losses[step] = losses
        if step == self.dies_after:
            raise KeyboardInterrupt


def network():
    torch.manual_seed(0)
    return DsmNet()


def run(folder, curve):
    return Run(folder, Devices(torch.device("cpu")), 0, curve)


@pytest.fixture
def exact():
    """Make sums deterministic, because Adam's first steps divide by numbers near zero."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    with torch.backends.mkldnn.flags(enabled=False):
        yield
    torch.use_deterministic_algorithms(False)
    torch.set_num_threads(threads)


@pytest.mark.usefixtures("exact")
def test_a_run_resumed_after_a_kill_has_the_same_curve(tmp_path, wall, config):
    config = replace(config, save_every=2)
    whole, killed, resumed = Curve(), Curve(dies_after=3), Curve()
    for name in ("whole", "killed"):
        (tmp_path / name).mkdir()
    weights = train(network(), wall, config, run(tmp_path / "whole", whole)).weights
    with pytest.raises(KeyboardInterrupt):
        train(network(), wall, config, run(tmp_path / "killed", killed))
    torch.manual_seed(99)
    train(DsmNet(), wall, config, run(tmp_path / "killed", resumed), take_up=True)
    assert sorted(resumed.losses) == [3, 4]
    assert resumed.losses[4] == whole.losses[4]
    assert load_network(weights).model_hash == load_network(tmp_path / "killed" / weights.name).model_hash


def test_a_missing_state_and_another_recipe_are_refused(tmp_path, wall, config):
    with pytest.raises(ModelError, match="nothing to resume"):
        train(network(), wall, config, run(tmp_path, Curve()), take_up=True)
    train(network(), wall, replace(config, steps=1), run(tmp_path, Curve()))
    with pytest.raises(DsmError, match="learning_rate"):
        train(network(), wall, replace(config, steps=1, learning_rate=1.0), run(tmp_path, Curve()), take_up=True)


def test_the_losses_fall_on_one_place(tmp_path, wall, config):
    curve = Curve()
    config = replace(config, steps=30, pool=1, elsewhere=0.0, learning_rate=2e-3, save_every=100)
    train(network(), wall, config, run(tmp_path, curve))
    for name in ("coordinates_0", "matching_0", "confidence"):
        first, last = (sum(curve.losses[i][name] for i in steps) for steps in (range(1, 5), range(27, 31)))
        assert last < 0.8 * first, name


def test_frozen_trunks_stay_as_they_are(tmp_path, wall, config):
    net = network()
    before = {key: value.clone() for key, value in net.state_dict().items()}
    train(net, wall, replace(config, freeze_trunks=True), run(tmp_path, Curve()))
    after = net.state_dict()
    assert all(torch.equal(before[key], after[key]) for key in before if key.startswith("encoder.context"))
    assert not torch.equal(before["encoder.lateral_16.conv.weight"], after["encoder.lateral_16.conv.weight"])


def test_the_learning_rate_rises_and_falls_to_zero():
    config = TrainConfig(steps=100, warmup_steps=10)
    factors = [learning_rate_factor(step, config) for step in range(101)]
    assert factors[0] == pytest.approx(0.1)
    assert max(factors) == pytest.approx(1.0)
    assert factors[100] == pytest.approx(0.0)


class BlindFirst:
    """A source whose first place has poses that are not numbers, which no gradient survives."""

    def __init__(self, source):
        self.source = source

    def __getitem__(self, index):
        episode = self.source[index]
        return episode if index else replace(episode, map_T_camera_V44=episode.map_T_camera_V44 * np.nan)


def test_skipped_steps_are_counted_also_after_a_restart(tmp_path, wall, config):
    config = replace(config, episodes=1, save_every=1)
    curve, resumed = Curve(dies_after=3), Curve()
    with pytest.raises(KeyboardInterrupt):
        train(network(), BlindFirst(wall), config, run(tmp_path, curve))
    trained = train(network(), BlindFirst(wall), config, run(tmp_path, resumed), take_up=True)
    assert [curve.losses[step]["skipped"] for step in (1, 2, 3)] == [1, 1, 2]
    assert (trained.steps, trained.skipped) == (4, 2)


def test_weights_without_any_step_are_refused(tmp_path, wall, config):
    with pytest.raises(ModelError, match="all 4 steps were skipped"):
        train(network(), wall, replace(config, matching_temperature=0.0), run(tmp_path, Curve()))
    assert not list(tmp_path.glob("*.safetensors"))


def _without(state, key):
    return {name: value for name, value in state.items() if name != key}


def _with_more_axes(tensors):
    return {name: value[None] for name, value in tensors.items()}


def _with_other_moments(state):
    moments = {i: _with_more_axes(slots) for i, slots in state["optimizer"]["state"].items()}
    return state | {"optimizer": state["optimizer"] | {"state": moments}}


DAMAGES = {
    "truncated": lambda content, state: content[: len(content) // 2],
    "garbage": lambda content, state: b"garbage" * 100,
    "empty": lambda content, state: b"",
    "foreign": lambda content, state: [torch.zeros(3)],
    "without step": lambda content, state: _without(state, "step"),
    "without optimizer": lambda content, state: _without(state, "optimizer"),
    "of another network": lambda content, state: state | {"network": _with_more_axes(state["network"])},
    "of another optimizer": lambda content, state: _with_other_moments(state),
}


@pytest.fixture
def stopped(tmp_path, wall, config):
    """The folder and the recipe of a run after its first and only step."""
    config = replace(config, steps=1)
    train(network(), wall, config, run(tmp_path, Curve()))
    return tmp_path, config


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
def test_a_damaged_state_is_refused_with_its_name(stopped, wall, damage):
    folder, config = stopped
    path = folder / "last.pt"
    damaged = damage(path.read_bytes(), torch.load(path, weights_only=True))
    if isinstance(damaged, bytes):
        path.write_bytes(damaged)
    else:
        torch.save(damaged, path)
    with pytest.raises(ModelError, match=r"last\.pt.*without --resume"):
        train(network(), wall, config, run(folder, Curve()), take_up=True)
