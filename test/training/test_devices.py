import subprocess
import sys

import pytest
import torch
from torch import distributed

from dsm_ros.training.devices import joined_devices

PRINT_DEVICES = """
from dsm_ros.training.devices import joined_devices

with joined_devices() as devices:
    print(f"device {devices.device}, rank {devices.rank} of {devices.ranks}, first {devices.is_first}\\n", end="")
"""


@pytest.fixture
def calls(monkeypatch):
    """Simulate torchrun's second process on a machine with GPUs; the list of the calls that choose or use a GPU."""
    calls = []
    monkeypatch.setenv("RANK", "1")
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: calls.append(("set_device", device)))
    monkeypatch.setattr(distributed, "init_process_group", lambda backend: calls.append(("join", backend)))
    monkeypatch.setattr(distributed, "destroy_process_group", lambda: calls.append(("leave",)))
    monkeypatch.setattr(distributed, "get_rank", lambda: 1)
    monkeypatch.setattr(distributed, "get_world_size", lambda: 2)
    return calls


def test_each_process_chooses_its_gpu_before_the_processes_communicate(calls):
    gpu = torch.device("cuda", 1)
    with joined_devices() as devices:
        assert devices.device == gpu
    assert calls == [("set_device", gpu), ("join", "nccl"), ("leave",)]


def test_without_torchrun_the_process_is_alone(monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    with joined_devices() as devices:
        assert (devices.rank, devices.ranks, devices.is_first) == (0, 1, True)


def test_two_processes_of_torchrun_have_different_ranks(tmp_path):
    script = tmp_path / "print_devices.py"
    script.write_text(PRINT_DEVICES)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run([*torchrun, str(script)], capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    ranks = sorted(line.split(", ", 1)[1] for line in done.stdout.splitlines())
    assert ranks == ["rank 0 of 2, first True", "rank 1 of 2, first False"]
