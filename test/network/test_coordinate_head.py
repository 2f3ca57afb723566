import pytest
import torch

from dsm_ros.network.config import HeadShape
from dsm_ros.network.coordinate_head import CoordinateHead
from dsm_ros.network.features import gather_scene
from dsm_ros.network.level_volume import LevelVolume

from .conftest import make_keyframe

SCENES = [gather_scene([make_keyframe(0)])]


def volume(valid=True):
    """Two candidates per cell at x = 1 and x = 3, the first with all the consensus' weight."""
    coords = torch.zeros(1, 2, 3, 2, 2)
    coords[:, 0, 0], coords[:, 1, 0] = 1.0, 3.0
    weights = torch.zeros(1, 2, 2, 2)
    weights[:, 0] = 1.0
    mask = torch.full((1, 2, 2, 2), valid)
    agreement, distinctness = torch.rand(2, 1, 2, 2)
    return LevelVolume(torch.rand(1, 2, 2, 2), coords, mask, weights * mask, coords[:, 0], agreement, distinctness)


def head():
    torch.manual_seed(0)
    return CoordinateHead(2, query_channels=8, shape=HeadShape(channels=8, blocks=1, growth=4, layers=2)).eval()


def test_untrained_it_answers_with_the_consensus():
    maps = head()(volume(), torch.rand(1, 8, 2, 2), torch.zeros(1, 3, 2, 2), SCENES, 0.1)
    assert maps.coords_B3HW[0, 0].detach().numpy() == pytest.approx(1.0, abs=0.02)
    assert maps.coords_B3HW[0, 1:].abs().max() < 1e-6
    assert (maps.weights_BQHW[:, 0] > 0.98).all()


def test_without_candidates_it_answers_with_the_regressed_coordinate():
    initial = torch.rand(1, 3, 2, 2)
    maps = head()(volume(valid=False), torch.rand(1, 8, 2, 2), initial, SCENES, 0.1)
    assert torch.allclose(maps.coords_B3HW, initial, atol=1e-5)
    assert (maps.weights_BQHW[:, -1] > 0.999).all()


def test_gradients_reach_features_and_every_parameter():
    net = head().train()
    torch.nn.init.normal_(net.output.weight, std=0.1)
    query = torch.rand(1, 8, 2, 2, requires_grad=True)
    maps = net(volume(), query, torch.zeros(1, 3, 2, 2), SCENES, 0.1)
    (maps.coords_B3HW.square().sum() + maps.hypotheses_BQ3HW.square().sum() + maps.weights_BQHW[:, 0].sum()).backward()
    assert query.grad.abs().sum() > 0
    assert all(parameter.grad is not None for parameter in net.parameters())
