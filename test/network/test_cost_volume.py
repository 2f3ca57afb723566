import numpy as np
import pytest
import torch

from dsm_ros.network import cost_volume
from dsm_ros.network.consensus import find_consensus
from dsm_ros.network.cost_volume import (
    INVALID_SCORE,
    MIN_DEPTH_M,
    TIE_PX,
    CostVolume,
    correlate_all_pairs,
    correlate_neighbourhoods,
    correlate_windows,
    keep_best,
    project,
    score_cells,
)
from dsm_ros.network.features import gather_scene

from .conftest import CAMERA
from .conftest import make_keyframe as keyframe


def test_scene_coordinates_are_local_and_exact_far_from_the_origin():
    scene = gather_scene([keyframe(0), keyframe(1, x=0.5)])
    assert scene.map_T_local[0, 3] == 1000
    level = scene.levels[1]
    camera = CAMERA.resized(8, 6)
    depth = keyframe(1).depths[1][2, 3].item()
    expected = camera.unproject(np.array([[3.0, 2.0]]))[0] * depth + (0.5, 0, 0)
    assert level.coords_N3HW[1, :, 2, 3].numpy() == pytest.approx(expected, abs=1e-6)


def test_a_scene_needs_keyframes():
    with pytest.raises(ValueError, match="at least one"):
        gather_scene([])


def test_cells_without_depth_are_never_candidates():
    scene = gather_scene([keyframe(0, hole=True)])
    candidates = correlate_all_pairs(keyframe(5).image.levels[0][None], scene.levels[0])
    assert (candidates.scores_PM[:, [0, 1, 4, 5]] == INVALID_SCORE).all()
    assert (candidates.scores_PM[:, 2] > INVALID_SCORE).all()


def test_windows_equal_brute_force_also_at_borders_and_behind_the_camera():
    scene = gather_scene([keyframe(0, hole=True), keyframe(1, x=0.4)])
    level, query = scene.levels[1], keyframe(5).image.levels[1]
    points = level.coords_N3HW[0].flatten(1).T.clone()
    points[7] = torch.tensor([0.0, 0.0, -3.0])
    points[9] = torch.tensor([50.0, 0.0, 2.0])
    points[11] = torch.nan
    candidates = correlate_windows(query[None], level, points[None], radius=1)
    assert candidates.scores_PM.shape == (48, 18)
    for p in range(48):
        expected = torch.full((2, 3, 3), INVALID_SCORE)
        for n in range(2):
            pixel, depth = project(points[p : p + 1], level.projection_N34[n])
            for dv in (-1, 0, 1):
                for du in (-1, 0, 1):
                    u, v = ((pixel[0] + TIE_PX).round() + torch.tensor([du, dv])).tolist()
                    if depth[0] > MIN_DEPTH_M and 0 <= u < 8 and 0 <= v < 6 and level.valid_NHW[n, int(v), int(u)]:
                        feature = level.features_NCHW[n, :, int(v), int(u)]
                        expected[n, dv + 1, du + 1] = feature @ query.flatten(1)[:, p]
        assert candidates.scores_PM[p].tolist() == pytest.approx(expected.flatten().tolist(), abs=1e-5)
    assert (candidates.scores_PM[[7, 9, 11]] == INVALID_SCORE).all()


def test_pairs_around_the_expected_surface_score_as_among_all_pairs():
    level, query_BCHW = gather_scene([keyframe(0)]).levels[0], keyframe(5).image.levels[0][None]
    height, width = query_BCHW.shape[2:]
    everywhere_PM = correlate_all_pairs(query_BCHW, level).scores_PM
    found = correlate_neighbourhoods(query_BCHW, level, level.coords_N3HW.flatten(2).mT.contiguous(), radius=1)
    in_image_PM = found.scores_PM > INVALID_SCORE
    assert in_image_PM.sum() == (3 * height - 2) * (3 * width - 2)
    wanted_PM = everywhere_PM.gather(1, found.cells_PM)
    assert torch.allclose(found.scores_PM[in_image_PM], wanted_PM[in_image_PM], atol=1e-6)


def test_windows_do_not_depend_on_the_tiles_they_are_scored_in(monkeypatch):
    scene = gather_scene([keyframe(0), keyframe(1, x=0.4)])
    level, query = scene.levels[1], keyframe(5).image.levels[1]
    points = level.coords_N3HW[0].flatten(1).T
    whole = correlate_windows(query[None], level, points[None], radius=2).scores_PM
    monkeypatch.setattr(cost_volume, "TILE_NUMBERS", 7 * 25 * 8)
    assert torch.equal(correlate_windows(query[None], level, points[None], radius=2).scores_PM, whole)


def test_best_candidates_are_sorted_and_padding_never_outranks_a_negative():
    scene = gather_scene([keyframe(0, hole=True)])
    candidates = correlate_all_pairs(-keyframe(0).image.levels[0][None], scene.levels[0])
    volume = keep_best(candidates, scene.levels[0], 16)
    assert volume.scores_PK.shape == (12, 16)
    assert volume.valid_PK.sum(1).tolist() == [8] * 12
    valid = volume.scores_PK[volume.valid_PK].view(12, 8)
    assert (valid.diff(dim=1) <= 0).all()
    assert (volume.coords_PK3[~volume.valid_PK] == 0).all()


def test_consensus_takes_the_group_with_most_weight():
    coords = torch.tensor([[[5.0, 0, 0], [1.0, 0, 0], [1.02, 0, 0], [0.98, 0, 0]]])
    volume = CostVolume(
        torch.tensor([[0.9, 0.89, 0.89, 0.89]]), coords, torch.ones(1, 4, dtype=bool), torch.zeros(1, 4)
    )
    found = find_consensus(volume, temperature=0.05, agreement_m=0.1)
    assert found.coords_P3[0].tolist() == pytest.approx([1.0, 0, 0], abs=1e-3)
    assert 0.5 < found.agreement_P.item() < 0.8


def test_without_valid_candidates_there_is_no_agreement():
    empty = torch.zeros(1, 4, dtype=bool)
    volume = CostVolume(torch.zeros(1, 4), torch.zeros(1, 4, 3), empty, torch.zeros(1, 4))
    found = find_consensus(volume, 0.05, 0.1)
    assert found.agreement_P.item() == 0
    assert torch.isfinite(found.coords_P3).all()


def test_a_window_larger_than_the_scene_scores_every_cell_of_it_alike():
    generator = torch.Generator().manual_seed(0)
    query_PC, scene_SC = torch.rand(4, 8, generator=generator), torch.rand(3, 8, generator=generator)
    cells_PM = torch.tensor([[0, 1, 2, 0, 0]]).expand(4, 5)
    with torch.inference_mode():
        scores_PM = score_cells(query_PC, scene_SC, cells_PM)
    assert torch.allclose(scores_PM, (query_PC @ scene_SC.T)[:, [0, 1, 2, 0, 0]], atol=1e-6)
