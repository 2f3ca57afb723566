import numpy as np
import pytest
import torch

from dsm_ros.geometry.camera import Camera
from dsm_ros.network.features import ImageFeatures, KeyframeFeatures, gather_scene
from dsm_ros.network.temporal import PreviousFrame, fuse_previous, scene_weight

CAMERA = Camera(64, 48, 60.0, 60.0, 31.5, 23.5)


def features(seed):
    generator = torch.Generator().manual_seed(seed)
    levels = (torch.nn.functional.normalize(torch.randn(8, 6, 8, generator=generator), dim=0),)
    return ImageFeatures(levels, torch.ones(4), CAMERA)


@pytest.fixture
def scene():
    return gather_scene([KeyframeFeatures(features(0), (torch.full((6, 8), 2.0),), np.eye(4))])


@pytest.mark.parametrize(("certainty", "alpha"), [(0.0, 0.4), (0.3, 0.7), (0.6, 1.0), (0.9, 1.0)])
def test_alpha(certainty, alpha):
    assert scene_weight(certainty) == pytest.approx(alpha)


def test_fused_features_give_the_fused_correlation(scene):
    """The same pose sees each scene cell at its own cell, so both correlations are known."""
    previous, query = features(1), features(2).levels[0].flatten(1)
    fused = fuse_previous(scene, PreviousFrame(previous, np.eye(4), 0), alpha=0.7).levels[0]
    scene_correlation = scene.levels[0].features_NCHW[0].flatten(1).T @ query
    temporal_correlation = previous.levels[0].flatten(1).T @ query
    expected = 0.7 * scene_correlation + 0.3 * temporal_correlation
    assert (fused.features_NCHW[0].flatten(1).T @ query - expected).abs().max() < 1e-4


def test_alpha_one_and_an_unseen_scene_change_nothing(scene):
    previous = PreviousFrame(features(1), np.eye(4), 0)
    away = PreviousFrame(features(1), np.diag([-1.0, 1.0, -1.0, 1.0]), 0)
    original = scene.levels[0].features_NCHW
    assert torch.allclose(fuse_previous(scene, previous, 1.0).levels[0].features_NCHW, original)
    assert (fuse_previous(scene, away, 0.4).levels[0].features_NCHW == original).all()
