"""Temporal fusion on a simulated device: the features of the host, with one copy to the device."""

import numpy as np
import torch
from simulated_device import NAME, simulated_device

from dsm_ros.network.features import ImageFeatures, KeyframeFeatures, gather_scene
from dsm_ros.network.temporal import PreviousFrame, fuse_previous

from .conftest import make_keyframe


def fused(device):
    keyframes = [moved(make_keyframe(seed, x=0.1 * seed), device) for seed in range(3)]
    previous = moved(make_keyframe(9), device).image
    scene = gather_scene(keyframes)
    return scene, lambda: fuse_previous(scene, PreviousFrame(previous, keyframes[0].map_T_camera, 0), 0.5, level=-1)


def moved(keyframe, device):
    image = keyframe.image
    levels = tuple(level.to(device) for level in image.levels)
    return KeyframeFeatures(
        ImageFeatures(levels, image.descriptor_D, image.camera),
        tuple(depth.to(device) for depth in keyframe.depths),
        keyframe.map_T_camera,
    )


def test_fusion_copies_its_matrices_once():
    scene, fuse = fused("cpu")
    wanted = fuse()
    with simulated_device() as crossings:
        _, fuse = fused(NAME)
        crossings.counts.clear()
        found = fuse()
        assert crossings.total == 1
        a, b = (levels[-1].features_NCHW.cpu() for levels in (wanted.levels, found.levels))
        assert np.allclose(a.numpy(), b.numpy(), atol=1e-6)
        assert not torch.allclose(a, scene.levels[-1].features_NCHW, atol=1e-3)
        assert wanted.levels[:-1] == scene.levels[:-1]
