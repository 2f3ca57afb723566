import torch

from dsm_ros.network.confidence_head import ConfidenceHead, context_normalise


def test_context_normalisation_is_over_the_cells_of_each_image():
    normalised = context_normalise(torch.rand(2, 3, 8, 9) * 5 + 7)
    assert normalised.mean((2, 3)).abs().max() < 1e-4
    assert (normalised.std((2, 3)) - 1).abs().max() < 0.02


def test_a_cell_is_judged_by_itself_and_the_crowd_not_by_its_place():
    torch.manual_seed(0)
    head = ConfidenceHead(evidence=2, channels=8).eval()
    cells = torch.rand(1, 7, 4, 5)
    turned = head(cells.flip(2, 3))
    assert torch.allclose(head(cells).flip(1, 2), turned, atol=1e-5)
