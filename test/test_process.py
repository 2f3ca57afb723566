"""What prepare_process is for, seen from outside."""

import subprocess
import sys

import pytest

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


def faults(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", FAULTS, how], capture_output=True, text=True, check=True)
    return int(done.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc only")
def test_freed_memory_is_used_again_without_page_faults():
    assert faults("prepared") < 100 < faults("as it comes")


def test_threads_count_for_the_calling_thread():
    code = "import torch; from dsm_ros.process import use_threads; use_threads(1); print(torch.get_num_threads())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"
