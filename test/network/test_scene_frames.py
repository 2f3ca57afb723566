import pytest
import torch

from dsm_ros.network.features import gather_scene
from dsm_ros.network.scene_frames import SceneFrames

from .conftest import make_keyframe


def test_normalised_coordinates_have_zero_mean_and_unit_deviation():
    scene = gather_scene([make_keyframe(7, hole=True), make_keyframe(8, x=0.5)])
    coarsest = scene.levels[0]
    frames = SceneFrames.of([scene])
    normalised_B3HW = frames.normalise(coarsest.coords_N3HW)
    known_M3 = normalised_B3HW.permute(0, 2, 3, 1)[coarsest.valid_NHW]
    assert known_M3.mean(0).abs().max() < 1e-5
    assert known_M3.square().mean().item() == pytest.approx(1, abs=1e-5)
    assert torch.allclose(frames.metric(normalised_B3HW), coarsest.coords_N3HW, atol=1e-5)


def test_a_batch_has_the_normalisation_of_each_scene_alone():
    scenes = [gather_scene([make_keyframe(i, x=0.1 * i) for i in range(count)]) for count in (2, 1, 3)]
    together = SceneFrames.of(scenes)
    for mean_3, deviation, scene in zip(together.mean_B3, together.deviation_B, scenes, strict=True):
        alone = SceneFrames.of([scene])
        assert torch.allclose(mean_3, alone.mean_B3[0])
        assert torch.allclose(deviation, alone.deviation_B[0])


def test_a_scene_without_depth_keeps_its_coordinates():
    keyframe = make_keyframe(0)
    for depth_HW in keyframe.depths:
        depth_HW.zero_()
    frames = SceneFrames.of([gather_scene([keyframe])])
    coords_B3HW = torch.rand(1, 3, 2, 2)
    assert torch.equal(frames.normalise(coords_B3HW), coords_B3HW)
