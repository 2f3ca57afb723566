"""Channels of the heads' inputs: their order is part of trained weights."""

import math

import pytest
import torch

from dsm_ros.network.head_inputs import (
    ConfidenceInput,
    CoordinateInput,
    Evidence,
    cell_channels,
    confidence_channels,
    confidence_features,
)
from dsm_ros.network.scene_frames import SceneFrames

from .test_coordinate_head import volume


def constant(value, *channels):
    return torch.full((1, *channels, 2, 3), value)


def first_cell(stacked_BCHW):
    return stacked_BCHW[0, :, 0, 0].tolist()


def test_evidence_keeps_its_order_in_the_input_of_net_conf():
    evidence = [Evidence(*(constant(10.0 * level + i) for i in range(4))) for level in (1, 2)]
    stacked_BLEHW = torch.stack([level.stacked() for level in evidence], dim=1)
    features = ConfidenceInput(constant(1.0, 3), constant(1.0, 3), constant(-2.0, 2), stacked_BLEHW).features()
    assert first_cell(features)[:8] == [10, 11, 12, 13, 20, 21, 22, 23]
    assert features.shape[1] == confidence_features(2)


def test_the_input_of_net_conf_is_unstacked_as_it_was_stacked():
    given = ConfidenceInput(constant(1.0, 3), constant(2.0, 3), constant(3.0, 2), torch.rand(1, 2, 4, 2, 3))
    stacked = given.stacked()
    assert stacked.shape[1] == confidence_channels(2)
    for name, value in vars(ConfidenceInput.unstack(stacked)).items():
        assert torch.equal(getattr(given, name), value)


def test_cells_of_net_coords_are_scores_offsets_consensus_and_evidence():
    matches = volume()
    frames = SceneFrames(torch.tensor([[0.5, 0.0, 0.0]]), torch.tensor([0.5]))
    cells = first_cell(matches.stacked(frames))
    assert len(cells) == cell_channels(2)
    assert cells[:2] == first_cell(matches.scores_BKHW)
    assert cells[2:5] == [0, 0, 0]  # the first candidate is the consensus
    assert cells[5] == pytest.approx(math.asinh(20 * 4))  # the second one is 2 m = 4 deviations away from it along x
    assert cells[8:11] == [1, 0, 0]  # x = 1 m, half a metre or one deviation from the mean
    evidence = matches.best_score_BHW, matches.agreement_BHW, matches.distinctness_BHW
    assert cells[11:] == [map_BHW[0, 0, 0].item() for map_BHW in evidence]


def test_the_input_of_net_coords_is_unstacked_as_it_was_stacked():
    given = CoordinateInput(constant(1.0, 8), constant(2.0, 14), constant(3.0, 3))
    found = CoordinateInput.unstack(given.stacked(), query_channels=8)
    for name, value in vars(given).items():
        assert torch.equal(getattr(found, name), value)
