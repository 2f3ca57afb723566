import numpy as np
import pytest
import torch

from dsm_ros.geometry.camera import Camera
from dsm_ros.network.features import ImageFeatures, KeyframeFeatures, gather_scene
from dsm_ros.network.temporal import PreviousFrame, fuse_previous, sample, scene_weight

CAMERA = Camera(64, 48, 60.0, 60.0, 31.5, 23.5)


def features(seed):
    generator = torch.Generator().manual_seed(seed)
    levels = (torch.nn.functional.normalize(torch.randn(8, 6, 8, generator=generator), dim=0),)
    return ImageFeatures(levels, torch.ones(4), CAMERA)


@pytest.fixture
def scene():
    return gather_scene([KeyframeFeatures(features(0), (torch.full((6, 8), 2.0),), np.eye(4))])


@pytest.mark.parametrize(("confidence", "alpha"), [(0.0, 0.4), (0.3, 0.7), (0.6, 1.0), (0.9, 1.0)])
def test_alpha(confidence, alpha):
    assert scene_weight(confidence) == pytest.approx(alpha)


def test_fused_features_give_the_fused_correlation(scene):
    """The same pose sees each scene cell at its own cell, so both correlations are known."""
    previous, query = features(1), features(2).levels[0].flatten(1)
    fused = fuse_previous(scene, PreviousFrame(previous, np.eye(4), 0), alpha=0.7, level=0).levels[0]
    scene_correlation = scene.levels[0].features_NCHW[0].flatten(1).T @ query
    temporal_correlation = previous.levels[0].flatten(1).T @ query
    expected = 0.7 * scene_correlation + 0.3 * temporal_correlation
    assert (fused.features_NCHW[0].flatten(1).T @ query - expected).abs().max() < 1e-4


def test_alpha_one_and_an_unseen_scene_change_nothing(scene):
    previous = PreviousFrame(features(1), np.eye(4), 0)
    away = PreviousFrame(features(1), np.diag([-1.0, 1.0, -1.0, 1.0]), 0)
    original = scene.levels[0].features_NCHW
    assert torch.allclose(fuse_previous(scene, previous, 1.0, level=0).levels[0].features_NCHW, original)
    assert (fuse_previous(scene, away, 0.4, level=0).levels[0].features_NCHW == original).all()


def test_samples_are_those_of_grid_sample_beyond_the_border_too():
    generator = torch.Generator().manual_seed(3)
    features_CHW = torch.randn(8, 6, 9, generator=generator)
    size_2 = torch.tensor([9.0, 6.0])
    pixels_P2 = torch.rand(500, 2, generator=generator) * (size_2 + 3) - 2
    grid_P2 = (pixels_P2 + 0.5) / size_2 * 2 - 1
    wanted_1C1P = torch.nn.functional.grid_sample(
        features_CHW[None], grid_P2[None, None], padding_mode="border", align_corners=False
    )
    assert torch.allclose(sample(features_CHW, pixels_P2), wanted_1C1P[0, :, 0].T, atol=1e-5)
