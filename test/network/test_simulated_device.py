"""The simulated device refuses mixed devices and counts copies and waits."""

import pytest
import torch
from simulated_device import NAME, MixedDevicesError, simulated_device


@pytest.fixture
def crossings():
    with simulated_device() as found:
        yield found


def test_it_computes_as_the_host_does_and_views_share_memory(crossings):
    here = torch.arange(6.0).view(2, 3)
    there = here.to(NAME)
    there[0].add_(1)
    assert there.device.type == NAME
    assert (there @ there.T).cpu().tolist() == (here + torch.tensor([[1.0], [0.0]])).matmul(
        (here + torch.tensor([[1.0], [0.0]])).T
    ).tolist()
    assert crossings.total == 2


@pytest.mark.parametrize(
    "mix",
    [
        lambda here, there: here + there,
        lambda here, there: torch.cat([there, here]),
        lambda here, there: here[there.long()],
        lambda here, there: there.scatter_(0, here.long(), there),
        lambda here, there: there.numpy(),
        lambda here, there: there.index_put_((there.long(),), here),
        lambda here, there: there.__setitem__(there == 0, here),
    ],
)
def test_it_refuses_mixtures(crossings, mix):
    here = torch.zeros(3)
    with pytest.raises(MixedDevicesError):
        mix(here, here.to(NAME))


@pytest.mark.parametrize(
    ("cross", "what"),
    [
        (lambda there: float(there[0]), "_local_scalar_dense"),
        (lambda there: there.tolist(), "tolist"),
        (lambda there: there[there > 0], "boolean index"),
        (lambda there: there.nonzero(), "nonzero"),
        (lambda there: there.unique_consecutive(), "unique_consecutive"),
        (lambda there: there.long().bincount(), "bincount"),
        (lambda there: torch.allclose(there, there), "allclose"),
        (lambda there: torch.linalg.inv(there.diag()), "check_errors"),
        (lambda there: torch.linalg.eigh(there.diag()), "eigh"),
        (lambda there: there[[0, 1]], "index of Python numbers"),
        (lambda there: there[torch.tensor([0])], "index of the host"),
        (lambda there: there.new_tensor([1.0]), "new_tensor"),
        (lambda there: torch.tensor([1.0], device=there.device), "torch.tensor"),
        (lambda there: there.cpu(), "to the host: copy"),
        (lambda there: there.copy_(torch.zeros(3)), "to the device: copy_"),
    ],
)
def test_it_counts_crossings(crossings, cross, what):
    there = torch.ones(3).to(NAME)
    crossings.counts.clear()
    cross(there)
    assert [what in said for _, said in crossings.counts] == [True]
    assert crossings.total == 1


def test_an_assigned_number_crosses(crossings):
    there = torch.ones(3).to(NAME)
    crossings.counts.clear()
    there[0] = 5.0
    assert crossings.total == 1


def test_operations_on_the_device_are_no_crossings(crossings):
    there = torch.ones(3).to(NAME)
    crossings.counts.clear()
    kept = torch.where(there > 0, there * 2.0, 0.0) + torch.arange(3, device=there.device)
    kept[0].fill_(5.0)
    assert kept.new_zeros(2).device.type == NAME
    assert crossings.total == 0
