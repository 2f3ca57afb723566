"""Effects of prepare_process on a process."""

import os
import subprocess
import sys

import pytest

from dsm_ros.process import default_threads

FAULTS = """
import resource, sys
from dsm_ros.process import prepare_process
if sys.argv[1] == "prepared":
    prepare_process()
import numpy as np
def block():
    np.ones(8_000_000)
block()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
block()
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


PAUSES = """
import sys, time
from dsm_ros.process import prepare_process
if sys.argv[1] == "prepared":
    prepare_process()
import torch
torch.set_num_threads(2)
x = torch.ones(1 << 20)
start_s = time.process_time()
for _ in range(50):
    x.add_(1)
    time.sleep(0.01)
print(time.process_time() - start_s)
"""


def printed(code: str, how: str) -> float:
    """Return the output of a process with or without prepare_process."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    command = [sys.executable, "-c", code, how]
    return float(subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc only")
def test_freed_memory_is_used_again_without_page_faults():
    assert printed(FAULTS, "prepared") < 100 < printed(FAULTS, "as it comes")


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="OpenMP does not spin on a single core")
def test_threads_that_wait_for_work_sleep():
    assert printed(PAUSES, "prepared") < printed(PAUSES, "as it comes") / 3


@pytest.mark.parametrize(("cores", "threads"), [(1, 1), (2, 1), (3, 1), (4, 2), (6, 3), (64, 4)])
def test_half_of_the_cores_localize_an_image(monkeypatch, cores, threads):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(cores)))
    assert default_threads() == threads


def test_threads_count_for_the_calling_thread():
    code = "import torch; from dsm_ros.process import use_threads; use_threads(1); print(torch.get_num_threads())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"
