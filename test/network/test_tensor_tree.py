from dataclasses import dataclass

import numpy as np
import torch

from dsm_ros.network.tensor_tree import map_tensors, signature, tensors_of


@dataclass(frozen=True)
class Pair:
    first: torch.Tensor
    second: tuple[torch.Tensor, ...]
    name: str = "pair"


def test_tensors_are_changed_in_place_of_the_old_ones():
    pair = Pair(torch.ones(2), (torch.zeros(3), torch.ones(1)))
    changed = map_tensors([pair, 5], lambda tensor: tensor + 1)
    assert changed[1] == 5
    assert changed[0].name == "pair"
    assert [t.tolist() for t in tensors_of(changed)] == [[2, 2], [1, 1, 1], [2]]


def test_arrays_are_withheld():
    assert map_tensors((np.eye(4), 1), torch.clone) == (None, 1)


def test_signatures_tell_shapes_types_and_constants_apart():
    pair = Pair(torch.ones(2), (torch.zeros(3),))
    assert signature(pair) == signature(Pair(torch.zeros(2), (torch.ones(3),)))
    assert signature(pair) != signature(Pair(torch.ones(3), (torch.zeros(3),)))
    assert signature(pair) != signature(Pair(torch.ones(2).double(), (torch.zeros(3),)))
    assert signature(pair) != signature(Pair(torch.ones(2), (torch.zeros(3),), "other"))
    assert signature(pair) != signature(Pair(torch.ones(2), (torch.zeros(3), torch.zeros(3))))
    assert signature((np.eye(4),)) == signature((np.zeros((4, 4)),))
