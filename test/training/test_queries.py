"""Queries and their ground truth, on views along a wall 2 m away."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from dsm_ros.network.features import ImageFeatures, KeyframeFeatures
from dsm_ros.training.queries import Draw, draw_queries, ground_truths, make_queries

SIZES = (4, 6), (8, 12)


def views_of(episode):
    features = tuple(torch.rand(8, *size) for size in SIZES)
    depths = tuple(torch.full(size, 2.0) for size in SIZES)
    return [
        KeyframeFeatures(ImageFeatures(features, torch.ones(4), camera), depths, pose)
        for camera, pose in zip(episode.cameras, episode.map_T_camera_V44, strict=True)
    ]


@pytest.fixture
def episodes(wall):
    return [wall[0], wall[1]]


@pytest.fixture
def queries(episodes):
    """A query that its map shows, and one of another place."""
    views = [views_of(episode) for episode in episodes]
    return make_queries([Draw(0, 2, 0, (0, 1)), Draw(0, 2, 1, (0, 1))], views)


def test_the_ground_truth_lies_on_the_wall_in_the_frame_of_the_first_map_image(queries, episodes):
    truth = ground_truths(queries)[1]
    camera = episodes[0].cameras[2].resized(12, 8)
    ray = camera.unproject(np.array([[5.0, 3.0]]))[0]
    expected = 2.0 * ray + episodes[0].map_T_camera_V44[2][:3, 3]  # the first map image is at the origin
    assert truth.coords_B3HW[0, :, 3, 5].tolist() == pytest.approx(expected.tolist(), abs=1e-6)


def test_a_query_of_another_place_has_no_ground_truth(queries):
    for truth in ground_truths(queries):
        assert truth.known_BHW[0].all()
        assert not truth.known_BHW[1].any()
        assert truth.in_map_B.tolist() == [True, False]


def test_without_overlap_one_view_is_its_own_map_image(episodes):
    lonely = [replace(episode, overlap_VV=np.eye(4, dtype=np.float32)) for episode in episodes]
    draws = draw_queries(lonely, queries=4, max_images=3, elsewhere=0.0, rng=np.random.default_rng(0))
    assert draws == [Draw(0, 0, 0, (0,))]


def test_queries_with_equally_many_map_images_follow_one_another(episodes):
    rng = np.random.default_rng(0)
    draws = draw_queries(episodes, queries=4, max_images=3, elsewhere=0.5, rng=rng)
    counts = [len(draw.images) for draw in draws]
    assert counts == sorted(counts)
    assert len(set(counts)) > 1
    assert {draw.episode == draw.place for draw in draws} == {True, False}
    assert all(draw.query not in draw.images for draw in draws if draw.episode == draw.place)
