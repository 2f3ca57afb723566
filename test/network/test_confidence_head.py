import pytest
import torch

from dsm_ros.geometry.camera import Camera
from dsm_ros.network.confidence_head import ConfidenceHead, context_normalise, with_surroundings
from dsm_ros.network.grids import pixel_rays
from dsm_ros.network.head_inputs import ConfidenceInput


def test_context_normalisation_is_over_the_cells_of_each_image():
    normalised = context_normalise(torch.rand(2, 3, 8, 9) * 5 + 7)
    assert normalised.mean((2, 3)).abs().max() < 1e-4
    assert (normalised.std((2, 3)) - 1).abs().max() < 0.02


def test_the_surroundings_of_a_cell_are_5_x_5_cells():
    one_BCHW = torch.zeros(1, 1, 9, 9)
    one_BCHW[..., 4, 4] = 1.0
    own_HW, around_HW = with_surroundings(one_BCHW)[0]
    assert torch.equal(own_HW, one_BCHW[0, 0])
    assert around_HW[2:7, 2:7].numpy() == pytest.approx(1 / 25)
    assert around_HW.sum() == pytest.approx(1)


def test_the_confidence_of_a_cell_does_not_depend_on_its_position():
    torch.manual_seed(0)
    head = ConfidenceHead(levels=2, channels=8, blocks=2).eval()
    rays_B2HW = pixel_rays(Camera(40, 32, 30.0, 30.0, 20.0, 16.0), 4, 5, torch.device("cpu"))[None]
    maps = torch.rand(1, 3, 4, 5), torch.rand(1, 3, 4, 5), rays_B2HW, torch.rand(1, 2, 4, 4, 5)
    turned = head(ConfidenceInput(*(values.flip(-2, -1) for values in maps)))
    assert torch.allclose(head(ConfidenceInput(*maps)).flip(1, 2), turned, atol=1e-5)
