import torch

from dsm_ros.network.local_trunk import standardise


def test_exposure_changes_no_standardised_image():
    grey_B1HW = torch.rand(2, 1, 4, 6) * 100
    standardised_B1HW = standardise(grey_B1HW)
    for image in standardised_B1HW:
        assert image.mean().abs() < 1e-5
        assert (image.square().mean() - 1).abs() < 1e-4
    assert torch.allclose(standardise(2 * grey_B1HW + 30), standardised_B1HW, atol=1e-4)


def test_an_image_of_one_colour_is_standardised_to_zero():
    assert torch.equal(standardise(torch.full((1, 1, 4, 6), 7.0)), torch.zeros(1, 1, 4, 6))
