import os
import time

from dsm_ros.evaluation.busy_processes import busy_processes

CLOCK_TICKS_HZ = 100


def used_s(pid):
    """CPU time of a process."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / CLOCK_TICKS_HZ


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]


def test_they_compute_until_the_block_ends():
    before = set(children(os.getpid()))
    with busy_processes(2):
        started = set(children(os.getpid())) - before
        deadline_s = time.monotonic() + 30
        while not all(used_s(pid) > 0.3 for pid in started):
            assert time.monotonic() < deadline_s
            time.sleep(0.05)
        assert len(started) == 2
    assert set(children(os.getpid())) == before
