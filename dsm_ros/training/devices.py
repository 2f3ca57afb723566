"""The training device of one process, which may be one of several processes started by torchrun."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import distributed


@dataclass(frozen=True)
class Devices:
    """The device of this process, its number, and the number of processes."""

    device: torch.device
    rank: int = 0
    ranks: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process writes the files of the run."""
        return self.rank == 0


@contextmanager
def joined_devices() -> Iterator[Devices]:
    """Join the processes that torchrun started, if any, and use a GPU if there is one."""
    local_rank = int(os.environ.get("LOCAL_RANK", "0"))
    has_gpu = torch.cuda.is_available()
    device = torch.device("cuda", local_rank) if has_gpu else torch.device("cpu")
    if has_gpu:
        torch.cuda.set_device(device)  # else NCCL and the caching allocator would also occupy the first GPU
    if "RANK" not in os.environ:
        yield Devices(device)
        return
    distributed.init_process_group("nccl" if has_gpu else "gloo")
    try:
        yield Devices(device, distributed.get_rank(), distributed.get_world_size())
    finally:
        distributed.destroy_process_group()
