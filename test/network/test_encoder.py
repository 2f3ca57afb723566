"""The lite encoder: the grids of its levels, and the alignment of local features and context."""

import pytest
import torch

from dsm_ros.network.encoder import LiteEncoder, grow_to, half_size


@pytest.mark.parametrize(("height", "width"), [(96, 160), (128, 64), (32, 32)])
def test_levels_lie_on_the_image_grid_and_are_unit(height, width):
    encoder = LiteEncoder(64).eval()
    with torch.inference_mode():
        levels, descriptor_BD = encoder(torch.rand(2, 3, height, width) * 255)
    assert [tuple(level.shape) for level in levels] == [(2, 64, height // s, width // s) for s in (16, 8)]
    assert all(torch.allclose(level.norm(dim=1), torch.tensor(1.0)) for level in levels)
    assert torch.allclose(descriptor_BD.norm(dim=1), torch.ones(2))


def test_half_size_averages_and_repeats_the_last_row():
    image_B3HW = torch.rand(1, 3, 96, 128)
    half_B3HW = half_size(image_B3HW)
    assert half_B3HW.shape == (1, 3, 64, 64)
    assert torch.allclose(half_B3HW[0, :, 5, 7], image_B3HW[0, :, 10:12, 14:16].mean((1, 2)))
    assert torch.equal(half_B3HW[:, :, 48:], half_B3HW[:, :, 47:48].expand(-1, -1, 16, -1))


def test_a_grown_map_stays_where_it_was():
    """A ramp over the rows, given at the centres of coarse cells, has its values at the centres of fine ones."""
    rows_H = (torch.arange(6) + 0.5) * 32
    grown_BCHW = grow_to(torch.zeros(1, 1, 10, 8), rows_H.view(1, 1, 6, 1).expand(1, 1, 6, 4), 2)
    assert grown_BCHW.shape == (1, 1, 10, 8)
    centres_H = (torch.arange(10) + 0.5) * 16
    assert torch.allclose(grown_BCHW[0, 0, 1:, 3], centres_H[1:])  # the first lies before the first coarse centre
