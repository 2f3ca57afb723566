from dataclasses import replace

import torch

from dsm_ros.training.dataset import Steps


def images(steps, index):
    return [episode.images_VHW3 for episode in steps[index]]


def test_an_episode_comes_back_with_as_many_augmentations_as_the_recipe_names(wall, config):
    steps = Steps(wall, replace(config, augmentations=2))  # of two episodes a step, and two in the pool
    keys = [[episode.key for episode in steps[i]] for i in range(3)]
    assert keys == [[(0, 0), (1, 0)], [(0, 1), (1, 1)], [(0, 0), (1, 0)]]
    for place in range(2):
        assert not torch.equal(images(steps, 0)[place], images(steps, 1)[place])
        assert torch.equal(images(steps, 0)[place], images(steps, 2)[place])


def test_a_restart_and_other_processes_continue_the_same_stream(wall, config):
    config = replace(config, pool=100)
    whole = Steps(wall, config)
    resumed = Steps(wall, config, first=2)
    assert len(resumed) == len(whole) - 2
    assert all(torch.equal(a, b) for a, b in zip(images(whole, 2), images(resumed, 0), strict=True))
    keys = [episode.key for rank in range(2) for episode in Steps(wall, config, rank=rank, ranks=2)[1]]
    assert keys == [(4, 0), (5, 0), (6, 0), (7, 0)]
