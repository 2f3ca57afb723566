import torch

from dsm_ros.network.local_trunk import remove_exposure


def test_gain_and_offset_of_the_exposure_are_removed():
    grey_B1HW = torch.rand(2, 1, 4, 6) * 100
    removed_B1HW = remove_exposure(grey_B1HW)
    for image in removed_B1HW:
        assert image.mean().abs() < 1e-5
        assert (image.square().mean() - 1).abs() < 1e-4
    assert torch.allclose(remove_exposure(2 * grey_B1HW + 30), removed_B1HW, atol=1e-4)


def test_an_image_of_one_colour_becomes_zero():
    assert torch.equal(remove_exposure(torch.full((1, 1, 4, 6), 7.0)), torch.zeros(1, 1, 4, 6))
