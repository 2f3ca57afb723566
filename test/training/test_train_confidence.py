"""The script that trains Net_conf: which cells are right, and what it learns from them."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from dsm_ros.network.checkpoint import load_network
from dsm_ros.network.config import PRESETS
from dsm_ros.network.dsm_net import DsmNet, without_heads
from dsm_ros.network.head_inputs import confidence_features

ROOM, OTHER_ROOM = "rooms:3/size=192x128", "rooms:4/size=192x128"


@pytest.fixture(scope="module")
def script(load_script):
    return load_script("train_confidence")


@pytest.fixture(scope="module")
def matches(script):
    queries = (ROOM, range(2, 3), False), (OTHER_ROOM, range(2, 3), True)
    job = script.Job("room", ROOM, range(0, 10, 5), queries, (2,))
    return list(script.matches_of(job, without_heads(load_network())))


def test_cells_of_the_room_of_the_map_are_right_and_those_of_another_room_are_wrong(matches):
    own, other = matches[0], matches[-1]
    assert own[1].mean() > 0.8
    assert other[1].max() == 0
    for inputs_CHW, right_HW in matches:
        assert inputs_CHW.shape == (2 * confidence_features(2), *right_HW.shape)
        assert inputs_CHW.isfinite().all()


def test_net_conf_learns_from_the_matches_which_cells_are_right(script, matches, tmp_path, monkeypatch):
    inputs, right = (torch.stack(parts).numpy() for parts in zip(*matches, strict=True))
    np.savez(tmp_path / "room.npz", inputs=inputs, right=right)
    monkeypatch.setattr(script, "STEPS", 60)
    monkeypatch.setattr(script, "IMAGES", len(matches))
    torch.manual_seed(0)
    head = DsmNet(replace(PRESETS["lite"], trained_coordinates=False)).confidence_head
    script.train(head, tmp_path)
    with torch.inference_mode():
        own, other = (head.classify(match[0][None].float()).sigmoid().mean() for match in (matches[0], matches[-1]))
    assert own > other + 0.3


def test_matches_of_the_recording_are_drawn_more_often(script, tmp_path):
    for name in ("room_1", "recorded_near"):
        np.savez(tmp_path / f"{name}.npz", inputs=np.zeros((2, 3, 4, 5)), right=np.zeros((2, 4, 5)))
    inputs_MCP, right_MP, weights_M = script.read_matches(tmp_path)
    assert (inputs_MCP.shape, right_MP.shape) == ((4, 3, 20), (4, 20))
    assert weights_M.tolist() == [2.5, 2.5, 1.0, 1.0]
