"""Invariances of the whole network, on small random features."""

import weakref
from dataclasses import replace

import numpy as np
import pytest
import torch

from dsm_ros.geometry.pose import transform
from dsm_ros.network.config import PRESETS, HeadShape, NetworkConfig
from dsm_ros.network.dsm_net import DsmNet, without_heads
from dsm_ros.network.features import gather_scene, gather_scenes

from .conftest import CAMERA, make_keyframe

SMALL = HeadShape(channels=8, blocks=1, growth=4, layers=2)


@pytest.fixture(scope="module")
def net():
    """A network of the lite preset whose heads are not at their start."""
    torch.manual_seed(0)
    network = DsmNet(NetworkConfig(coarse_head=SMALL, fine_head=SMALL, confidence_channels=8))
    for head in network.coordinate_heads:
        torch.nn.init.normal_(head.output.weight, std=0.05)
    return network.eval()


def keyframes(count, **where):
    return [make_keyframe(seed, x=0.1 * seed, channels=64, **where) for seed in range(count)]


def matched(net, images, **where):
    scene = gather_scene(keyframes(images, **where))
    match = net.match(make_keyframe(50, channels=64).image, scene)
    return transform(scene.map_T_local, match.coords_HW3.flatten(0, 1).double().numpy()), match


@pytest.mark.parametrize("images", [1, 2, 7, 20])
def test_any_number_of_images_gives_finite_coordinates_and_confidence(net, images):
    coords_P3, match = matched(net, images)
    assert coords_P3.shape == (48, 3)
    assert np.isfinite(coords_P3).all()
    assert ((match.confidence_HW > 0) & (match.confidence_HW < 1)).all()


def test_a_window_leaves_fewer_candidates_than_all_cells(net):
    _, match = matched(net, 3)
    assert [level.hypotheses_BQ3HW.shape[1] - 1 for level in match.levels] == [16, 8]  # and one that is regressed


def test_a_move_of_the_whole_world_moves_the_coordinates_with_it(net):
    turn = np.array([[0, -1, 0, 5], [1, 0, 0, -2], [0, 0, 1, 9], [0, 0, 0, 1.0]])
    here, match = matched(net, 3)
    there, moved = matched(net, 3, map_T_world=turn)
    assert transform(turn, here) == pytest.approx(there, abs=1e-3)
    assert torch.allclose(match.confidence_HW, moved.confidence_HW, atol=1e-4)


def test_the_order_of_the_images_after_the_first_does_not_matter(net):
    frames, query = keyframes(4), make_keyframe(50, channels=64).image
    one = net.match(query, gather_scene(frames))
    other = net.match(query, gather_scene([frames[0], frames[3], frames[1], frames[2]]))
    same_HW = (one.coords_HW3 - other.coords_HW3).norm(dim=2) < 1e-3
    assert same_HW.float().mean() > 0.9  # all but ties


@pytest.mark.parametrize("images", [(2, 3), (3, 3, 2, 3)])
def test_a_batch_gives_what_single_queries_give(net, images):
    scenes = [gather_scene(keyframes(count)) for count in images]
    queries = [make_keyframe(50 + i, channels=64).image for i in range(len(images))]
    with torch.no_grad():
        batch = net.match_levels(queries, scenes)
        for i, (query, scene) in enumerate(zip(queries, scenes, strict=True)):
            for level, single in zip(batch, net.match_levels([query], [scene]), strict=True):
                assert torch.allclose(level.coords_B3HW[i], single.coords_B3HW[0], atol=1e-4)
                assert torch.allclose(level.hypotheses_BQ3HW[i], single.hypotheses_BQ3HW[0], atol=1e-4)
                assert torch.allclose(level.weights_BQHW[i], single.weights_BQHW[0], atol=1e-5)
                assert torch.allclose(level.evidence.stacked()[i], single.evidence.stacked()[0], atol=1e-5)


def test_queries_whose_scenes_have_equally_many_images_are_searched_in_one_pass(net):
    scenes = [gather_scene(keyframes(count)) for count in (2, 3, 3)]
    queries = [make_keyframe(seed, channels=64).image for seed in (50, 51, 52)]
    with torch.no_grad():
        for level in net.match_levels(queries, scenes):
            assert [search.candidates.queries for search in level.searches] == [1, 2]


def test_scenes_gathered_together_are_those_gathered_alone():
    groups = [keyframes(2), [make_keyframe(7, hole=True, channels=64)], keyframes(3)]
    together = gather_scenes(groups, [group[0].map_T_camera for group in groups])
    for scene, group in zip(together, groups, strict=True):
        alone = gather_scene(group)
        for level, alone_level in zip(scene.levels, alone.levels, strict=True):
            assert torch.equal(level.coords_N3HW, alone_level.coords_N3HW)
            assert torch.equal(level.features_NCHW, alone_level.features_NCHW)


def test_a_scene_without_depth_gives_no_trouble(net):
    frame = make_keyframe(0, channels=64)
    for depth in frame.depths:
        depth.zero_()
    match = net.match(make_keyframe(50, channels=64).image, gather_scene([frame]))
    assert match.coords_HW3.isfinite().all()


def test_a_guided_match_at_the_true_pose_corrects_cells_that_matched_a_wrong_place(net):
    frame, analytic = make_keyframe(3, channels=64), without_heads(net)
    scene = gather_scene([frame])
    own_3HW = scene.levels[1].coords_N3HW[0]
    match = analytic.match(frame.image, scene)
    far = replace(match.levels[-1], coords_B3HW=match.levels[-1].coords_B3HW + 5.0)
    wrong = replace(match, levels=(match.levels[0], far))
    guided = analytic.guided_match(frame.image, scene, wrong, frame.map_T_camera)
    assert (guided.coords_HW3 - own_3HW.permute(1, 2, 0)).norm(dim=2).max() < 0.02


def test_analytic_heads_choose_the_consensus(net):
    frame = make_keyframe(3, channels=64)
    match = without_heads(net).match(frame.image, gather_scene([frame]))
    own_HW3 = gather_scene([frame]).levels[1].coords_N3HW[0].permute(1, 2, 0)
    assert (match.coords_HW3 - own_HW3).norm(dim=2).median() < 0.02
    assert match.confidence_HW.median() > 0.5


def test_the_paper_preset_has_four_levels_and_runs():
    torch.manual_seed(0)
    network = DsmNet(PRESETS["paper"]).eval()
    levels, descriptor = network.encoder(torch.rand(1, 3, 64, 96) * 255)
    assert [tuple(level.shape[1:]) for level in levels] == [(256, 2, 3), (256, 4, 6), (256, 8, 12), (256, 16, 24)]
    assert descriptor.shape == (1, 2048)
    assert 40e6 < sum(parameter.numel() for parameter in network.parameters()) < 60e6


def test_a_network_that_shares_weights_has_a_configuration_of_its_own(network):
    other = DsmNet(replace(network.config, long_side_px=256), network.model_hash, share=network)
    assert other.encoder is network.encoder
    assert other.coordinate_heads is network.coordinate_heads
    assert other.training == network.training
    assert (other.config.long_side_px, other.name) == (256, network.name)
    assert network.config.long_side_px != 256


def test_a_network_is_closed_against_assignment(network):
    for name in ("config", "model_hash", "name", "device", "encoder", "coordinate_heads", "confidence_head"):
        with pytest.raises(AttributeError):
            setattr(network, name, None)


@pytest.mark.parametrize(
    "image",
    [np.zeros((48, 64), np.uint8), np.zeros((48, 64, 4), np.uint8), np.zeros((48, 64, 3)), np.zeros((48,), int)],
)
def test_an_image_that_is_not_rgb_of_8_bits_is_refused(net, image):
    with pytest.raises(ValueError, match=r"convert the image to uint8 RGB \(H, W, 3\)"):
        net.encode(image, CAMERA)


def test_a_network_without_users_is_freed_at_once():
    network = DsmNet(PRESETS["lite"])
    gone = weakref.ref(network)
    del network
    assert gone() is None
