"""Retrieval by global descriptors."""

import pytest
import torch

from dsm_ros.scene_map.retrieval import Retrieval


@pytest.mark.parametrize("count", [1, 2, 5, 200])
def test_a_stored_descriptor_finds_itself(count):
    descriptors = torch.nn.functional.normalize(
        torch.rand(count, 320, generator=torch.Generator().manual_seed(count)), dim=1
    )
    retrieval = Retrieval(descriptors)
    for row in range(0, count, 7):
        found = retrieval.nearest(descriptors[row], count + 3)
        assert found[0][0] == row
        assert len(found) == count
