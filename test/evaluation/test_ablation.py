"""Ablations: what each variant exchanges, and that it exchanges nothing else."""

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from dsm_ros.datasets.rooms.sequence import open_rooms
from dsm_ros.evaluation.ablation import ablate
from dsm_ros.evaluation.ablation_names import TITLES, Ablation
from dsm_ros.evaluation.ablation_networks import keep_all, keep_best_unsorted, plain_mean
from dsm_ros.evaluation.ablation_rank import rank_candidates
from dsm_ros.evaluation.ablation_retrieval import LaterKeyframes, NearTruePose
from dsm_ros.evaluation.ablation_variants import LONG_SIDES_PX, VARIANTS, Setting
from dsm_ros.evaluation.metrics import score_frame
from dsm_ros.localization.localizer import Localizer
from dsm_ros.localization.view import single_view
from dsm_ros.network.cost_volume import Candidates, CostVolume
from dsm_ros.network.dsm_net import DsmNet
from dsm_ros.network.features import SceneLevel, gather_scene
from dsm_ros.scene_map.builder import build_map
from dsm_ros.scene_map.scene_map import SceneMap

ROOM = "rooms:7/size=192x144"
LONG_SIDE_PX = 192


def ignore_progress(done: int, total: int) -> None:
    """Stand in for a progress bar."""


@pytest.fixture(scope="module")
def localizer(tmp_path_factory, network):
    """A localizer of small images on a map of six."""
    small = DsmNet(replace(network.config, long_side_px=LONG_SIDE_PX), network.model_hash, network)
    uri = str(tmp_path_factory.mktemp("maps") / "small")
    build_map(open_rooms(ROOM), range(0, 30, 5), uri, small, "walk 0", False, ignore_progress)
    return Localizer(SceneMap.open(uri, small.model_hash), small)


@pytest.fixture
def view(localizer):
    """An encoded image between keyframes, and the scene of all keyframes."""
    frame = open_rooms(ROOM)[7]
    scene = gather_scene(localizer.scene_map.features(localizer.scene_map.ids))
    return localizer.network.encode(frame.image_HW3, frame.camera), scene


def variants(localizer, ablation, tmp_path):
    return VARIANTS[ablation](Setting(localizer, open_rooms(ROOM), range(7, 8), tmp_path))


def labels(localizer, ablation, tmp_path):
    return [variant.label for variant in variants(localizer, ablation, tmp_path)]


def level_of(count):
    """A scene level of so many points on the x axis, 1 m apart."""
    coords_N3HW = torch.zeros(1, 3, 1, count)
    coords_N3HW[0, 0, 0] = torch.arange(count)
    return SceneLevel(coords_N3HW, torch.ones(1, 1, count) > 0, torch.eye(3, 4)[None], torch.zeros(1, 1, 1, count))


def test_unsorted_candidates_are_the_best_in_the_tensors_order():
    candidates = Candidates(torch.tensor([[0.2, -2.0, 0.9, 0.5, 0.1], [-2.0, -2.0, -2.0, 0.3, -2.0]]))
    found = keep_best_unsorted(candidates, level_of(5), 3)
    assert found.cells_PK[0].tolist() == [0, 2, 3]
    assert found.scores_PK[0].tolist() == pytest.approx([0.2, 0.9, 0.5])
    assert found.coords_PK3[0, :, 0].tolist() == [0, 2, 3]
    assert found.valid_PK.tolist() == [[True] * 3, [True, False, False]]
    assert found.coords_PK3[1, 0, 0] == 3


def test_all_candidates_are_kept():
    candidates = Candidates(torch.tensor([[0.2, -2.0, 0.9, 0.5, 0.1]]))
    assert keep_all(candidates, level_of(5), 2).valid_PK.sum() == 4


def test_a_plain_mean_lies_between_two_surfaces():
    coords_PK3 = torch.tensor([[[0.0, 0, 0], [0.0, 0, 0], [4.0, 0, 0], [9.0, 0, 0]]])
    valid_PK = torch.tensor([[True, True, True, False]])
    volume = CostVolume(torch.tensor([[0.8, 0.8, 0.8, 0.0]]), coords_PK3, valid_PK, torch.arange(4)[None])
    found = plain_mean(volume, 0.02, 1.0)
    assert found.coords_P3[0, 0] == pytest.approx(4 / 3)
    assert found.agreement_P[0] == 0
    assert plain_mean(volume, 0.02, 2.0).agreement_P[0] == pytest.approx(2 / 3)
    assert found.weights_PK[0, 3] == 0


def test_a_network_that_exchanges_nothing_matches_as_its_original(localizer, view):
    network = localizer.network
    original, same = network.match(*view), DsmNet(network.config, network.model_hash, network).match(*view)
    assert torch.equal(original.coords_HW3, same.coords_HW3)
    assert torch.equal(original.confidence_HW, same.confidence_HW)
    other = DsmNet(network.config, network.model_hash, network, agree=plain_mean).match(*view)
    assert not torch.equal(original.coords_HW3, other.coords_HW3)


def test_maps_of_other_resolutions_hold_the_same_keyframes(localizer, tmp_path):
    network, scene_map = localizer.network, localizer.scene_map
    made = variants(localizer, Ablation.RESOLUTION, tmp_path)[0].make()
    assert made.network.config.long_side_px == LONG_SIDES_PX[0]
    assert made.scene_map.ids == scene_map.ids
    np.testing.assert_array_equal(made.scene_map.poses_N44, scene_map.poses_N44)
    (features,) = made.scene_map.features(made.scene_map.ids[:1])
    assert features.image.camera.width_px == LONG_SIDES_PX[0]
    assert network.config.long_side_px == LONG_SIDE_PX


def test_later_keyframes_leave_out_the_first(localizer, view):
    descriptor_D = view[0].descriptor_D
    everything = localizer.scene_map.retrieve(descriptor_D, 6)
    assert LaterKeyframes(localizer.scene_map, 2).retrieve(descriptor_D, 3) == everything[2:5]
    assert LaterKeyframes(localizer.scene_map, 6).retrieve(descriptor_D, 3) == []


def test_near_the_true_pose_only_the_nearest_keyframes_are_matched(localizer):
    frames = [open_rooms(ROOM)[index] for index in (7, 22)]
    near = NearTruePose(localizer, 2, frames)
    for frame in frames:
        used = near.localize(single_view(frame.image_HW3, frame.camera), frame.stamp_ns).support.keyframe_ids
        assert list(used) == localizer.scene_map.nearest(frame.map_T_camera, 2)


def test_an_ablation_on_one_image(localizer, tmp_path, capsys):
    steps = []
    room = open_rooms(ROOM)
    report = ablate(Ablation.RETRIEVAL, localizer, room, range(7, 8), lambda *step: steps.append(step))
    report.show()
    printed = capsys.readouterr().out
    rows = json.loads(json.dumps(report.figures()))["variants"]
    assert [row["label"] for row in rows] == labels(localizer, Ablation.RETRIEVAL, tmp_path)
    assert all(row["label"] in printed for row in rows)
    assert [row["n_localized"] for row in rows] == [1, 1, 0, 0, 1]  # of six keyframes one is left after five
    assert rows[0]["mean_translation_m"] == pytest.approx(rows[0]["median_translation_m"])
    assert rows[2]["mean_translation_m"] is None
    assert steps == [(done, 5) for done in (1, 2, 3, 4, 5)]
    assert report.draw(tmp_path).read_bytes().startswith(b"\x89PNG")


def test_candidates_of_a_keyframe_itself_are_right_and_get_worse(localizer, tmp_path, capsys):
    report = rank_candidates(localizer, open_rooms(ROOM), range(0, 10, 5), ignore_progress, lambda confidence: 0.5)
    figures = json.loads(json.dumps(report.figures()))
    ranks = figures["ranks"]
    assert [row["k"] for row in ranks] == list(range(1, 17))
    assert ranks[0]["single_median_m"] < 0.01
    assert ranks[0]["single_mean_m"] < ranks[3]["single_mean_m"] < ranks[15]["single_mean_m"]
    assert (figures["frames"], figures["fused_frames"]) == (2, 1)
    assert ranks[5]["video_mean_m"] != ranks[5]["single_mean_m"]
    report.show()
    assert "1 of 2" in capsys.readouterr().out
    assert report.draw(tmp_path).is_file()


def test_the_floor_is_one_match_with_computed_heads(localizer, tmp_path):
    frame = open_rooms(ROOM)[7]
    results = []
    for variant in variants(localizer, Ablation.HEADS, tmp_path):
        results.append(variant.make().localize(single_view(frame.image_HW3, frame.camera), frame.stamp_ns))
    first, both, refined, completed, shipped, analytic = results
    assert not np.allclose(shipped.coordinates.confidence_HW, analytic.coordinates.confidence_HW, atol=1e-3)
    assert not np.allclose(first.map_T_camera, both.map_T_camera, atol=1e-6)
    assert np.array_equal(refined.map_T_camera, completed.map_T_camera)
    scores = [score_frame(frame, frame.map_T_camera, result) for result in results]
    assert scores[2].translation_m < 0.5 * min(scores[0].translation_m, scores[1].translation_m)
    assert [result.support.followed_ratio > 0 for result in results] == [False, False, True, True, True, True]
    within = [(score.coordinate_errors_m < 0.1).mean() for score in scores]
    assert within[0] <= within[1] == within[2] < min(within[3:])


def test_trained_heads_are_compared_with_computed_ones(localizer, tmp_path):
    config = replace(localizer.network.config, trained_coordinates=True, trained_confidence=True)
    trained = Localizer(localizer.scene_map, DsmNet(config, localizer.network.model_hash))
    made = [variant.make().network.config.trained_confidence for variant in variants(trained, Ablation.HEADS, tmp_path)]
    assert made == [False, True, True, True, True, False]
    assert len(labels(trained, Ablation.SORTING, tmp_path)) == 2  # trained heads take 16 candidates, no more


def test_every_ablation_has_a_title_and_variants():
    assert set(TITLES) == set(Ablation)
    assert set(VARIANTS) == set(Ablation) - {Ablation.RANK}
