import pytest
import torch

from dsm_ros.network.cost_volume import INVALID_SCORE, Candidates, CostVolume
from dsm_ros.network.level_volume import MUTUAL_FLOOR, distinctness


def volume_of(candidates, kept):
    scores, cells = candidates.scores_PM.topk(kept, dim=1)
    valid = scores > INVALID_SCORE
    return CostVolume(scores * valid, torch.zeros(*scores.shape, 3), valid, cells)


def distinct(scores_PM, kept=2):
    candidates = Candidates(scores_PM)
    return distinctness(candidates, volume_of(candidates, kept), width=len(scores_PM)).tolist()


def test_a_cell_that_matches_one_place_is_distinct_and_one_that_matches_all_is_not():
    scores = torch.zeros(1, 100)
    assert distinct(scores) == pytest.approx([0.02])
    scores[0, 40] = 0.9
    assert distinct(scores)[0] > 0.999


def test_scores_of_missing_candidates_are_no_rivals():
    scores = torch.full((1, 100), INVALID_SCORE)
    scores[0, :2] = torch.tensor([0.5, 0.4])
    assert distinct(scores) == pytest.approx([1.0])
    assert distinct(torch.full((1, 100), INVALID_SCORE)) == pytest.approx([0.0])


def test_a_candidate_that_prefers_a_distant_cell_costs_trust():
    scores = torch.full((5, 3), -1.0)
    scores[0] = -0.9  # no candidate is liked by several cells alike
    scores[0, 1], scores[1, 1], scores[4, 1] = 0.9, 0.8, 0.8  # the cell beside the preferred one is near enough
    assert distinct(scores, kept=1) == pytest.approx(
        [1.0, 1.0, MUTUAL_FLOOR / 3, MUTUAL_FLOOR / 3, MUTUAL_FLOOR], abs=1e-6
    )


def test_cells_that_touch_are_above_below_and_beside():
    scores = torch.full((12, 2), -1.0)  # a grid of 3 rows of 4
    scores[:, 0], scores[5, 0] = 0.5, 0.9
    candidates = Candidates(scores)
    trust_HW = distinctness(candidates, volume_of(candidates, 1), width=4).view(3, 4)
    assert (trust_HW[:, :3] > 0.99).all()
    assert trust_HW[:, 3].tolist() == pytest.approx([MUTUAL_FLOOR] * 3)


def test_cells_matched_in_windows_count_as_distinct():
    candidates = Candidates(torch.rand(4, 9), torch.zeros(4, 9, dtype=torch.long))
    assert distinctness(candidates, volume_of(candidates, 2), width=2).tolist() == [1.0] * 4


def test_a_cell_that_matches_one_place_of_a_large_window_is_distinct():
    cells = torch.zeros(2, 49, dtype=torch.long)
    scores = torch.zeros(2, 49)
    scores[1, 24] = 0.9
    candidates = Candidates(scores, cells, many=True)
    alike, one = distinctness(candidates, volume_of(candidates, 2), width=2).tolist()
    assert alike == pytest.approx(2 / 49)
    assert one > 0.999
