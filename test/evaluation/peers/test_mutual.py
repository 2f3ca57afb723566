"""Descriptors that are nearest neighbours of each other."""

import pytest
import torch
from torch.nn.functional import normalize

from dsm_ros.evaluation.peers.mutual import mutual_matches

KEYFRAME_KD = torch.eye(4)


def unit(*rows):
    return normalize(torch.tensor(rows, dtype=torch.float32), dim=1)


def test_each_finds_its_own_and_the_worse_of_two_none():
    query = unit([0, 1, 0, 0], [1, 0.5, 0, 0], [1, 0.1, 0, 0])
    assert mutual_matches(query, KEYFRAME_KD).tolist() == [[0, 1], [2, 0]]


def test_what_is_less_alike_than_the_limit_is_left_out():
    query = unit([1, 0, 0, 0], [0, 1, 0.9, 0])
    assert mutual_matches(query, KEYFRAME_KD, min_similarity=0.9).tolist() == [[0, 0]]


@pytest.mark.parametrize(("beside", "found"), [(0.2, 1), (0.9, 0)])
def test_what_resembles_two_fails_the_ratio_test(beside, found):
    query = unit([1, beside, 0, 0])
    assert len(mutual_matches(query, KEYFRAME_KD, max_ratio=0.8)) == found


def test_nothing_matches_nothing():
    assert mutual_matches(torch.empty(0, 4), KEYFRAME_KD).shape == (0, 2)
    assert mutual_matches(KEYFRAME_KD, torch.empty(0, 4)).shape == (0, 2)
